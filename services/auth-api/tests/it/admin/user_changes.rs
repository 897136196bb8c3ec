//! Users: changed, given passwords, unlocked and deleted.

use std::time::Duration;

use credo_proto::{
    admin::v1::{
        DeleteUserRequest, SetUserPasswordRequest, SetUserPasswordResponse, UnlockUserRequest, UpdateUserRequest,
        UpdateUserResponse, User,
    },
    events::v1::{ChangeDetails, core::Details},
};
use credo_testkit::eventually;
use prost_types::FieldMask;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{Console, Refused as _};
use crate::support::{Browser, Client, Event, PASSWORD, Replica, Tokens};

/// A mask, how the user is spoilt, and what the update is refused with.
type Case = (&'static [&'static str], fn(&mut User), Code);
/// How a deletion is spoilt, and what it is refused with.
type Spoil = (fn(&mut DeleteUserRequest), Code);

const FELT: Duration = Duration::from_secs(1);
const NEW_PASSWORD: &str = "another long enough pass phrase";

async fn assert_ended(replica: &Replica, client: &Client, tokens: &Tokens) {
    eventually(FELT, || async { replica.userinfo(&tokens.access).await.status == 401 }).await;
    replica.assert_dead(client, tokens).await;
}

fn update(console: &Console, paths: &[&str], change: impl FnOnce(&mut User)) -> UpdateUserRequest {
    let mut user = User {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        ..Default::default()
    };
    change(&mut user);
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateUserRequest {
        user: Some(user),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

async fn updated(console: &Console, request: UpdateUserRequest) -> Result<User, Status> {
    let answer: UpdateUserResponse = console.call("UserService/UpdateUser", request).await?;
    Ok(answer.user.unwrap())
}

async fn last(console: &Console, name: &str) -> (Event, ChangeDetails) {
    let event = console.world.events().await.pop().unwrap();
    assert_eq!((event.class, event.core.r#type.as_str()), (1, name));
    assert_eq!(
        event.core.subject.as_ref().unwrap().id,
        console.world.user.id.as_bytes()
    );
    let Some(Details::Change(details)) = event.core.details.clone() else {
        panic!("{:?}", event.core);
    };
    (event, details)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn reason_of(status: &Status) -> (String, std::collections::HashMap<String, String>) {
    let details = status.get_details_error_info().unwrap();
    assert_eq!(details.domain, "credo");
    (details.reason, details.metadata)
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_no_more() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let tokens = replica.tokens(&world.client, &world.user).await;
    let spoil = |user: &mut User| {
        user.email = "eve@evil.example".to_owned();
        user.display_name = "Ann B.".to_owned();
        let profile = user.profile.get_or_insert_default();
        (profile.nickname, profile.website) = ("ann".to_owned(), "javascript:".to_owned());
    };
    let paths = ["display_name", "profile.nickname"];
    let user = updated(&console, update(&console, &paths, spoil)).await.unwrap();
    assert_eq!(
        (user.email.as_str(), user.display_name.as_str()),
        ("ann@demo.example", "Ann B.")
    );
    assert_eq!(user.profile.unwrap().nickname, "ann");
    assert!(user.email_verified);
    replica.userinfo(&tokens.access).await.ok();
    let (event, details) = last(&console, "user_updated").await;
    assert_eq!(
        parsed(&details.after_json)["changed"],
        json!(["display_name", "profile"])
    );
    assert_eq!(
        (
            &parsed(&details.before_json)["version"],
            &parsed(&details.after_json)["version"]
        ),
        (&json!(1), &json!(2))
    );
    assert!(!details.after_json.contains("Ann") && !details.after_json.contains("nick"));
    assert_eq!(event.personal.display_name, "Ann B.");

    // As it is: nothing happens.
    let events = world.events().await.len();
    updated(&console, update(&console, &paths, spoil)).await.unwrap();
    assert_eq!(world.events().await.len(), events);
    // A cleared name is absent.
    let user = updated(&console, update(&console, &["display_name"], |_| {}))
        .await
        .unwrap();
    assert_eq!(user.display_name, "");
}

#[tokio::test]
async fn another_address_is_not_verified_and_ends_what_was_issued() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    elsewhere.userinfo(&tokens.access).await.ok();
    let request = update(&console, &["email"], |user| {
        user.email = " ANNA@Demo.example ".to_owned();
    });
    let user = updated(&console, request).await.unwrap();
    assert_eq!((user.email.as_str(), user.email_verified), ("anna@demo.example", false));
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        replica
            .sign_in(&world.client, &world.user.email, PASSWORD)
            .await
            .refuses(400, "invalid_grant");
        let answer = replica.sign_in(&world.client, "anna@demo.example", PASSWORD).await;
        let code = answer.ok()["code"].as_str().unwrap().to_owned();
        let tokens = Tokens::from(&replica.exchange(&world.client, &code).await);
        // No replica shows the old one from its memory.
        assert_eq!(
            replica.userinfo(&tokens.access).await.ok()["email"],
            "anna@demo.example"
        );
    }
    let (event, details) = last_of(&console, "user_updated").await;
    assert!(!details.after_json.contains("anna") && !details.before_json.contains("ann@"));
    assert_eq!(event.personal.email, "anna@demo.example");

    let both = update(&console, &["email", "email_verified"], |user| {
        (user.email, user.email_verified) = ("ann2@demo.example".to_owned(), true);
    });
    assert!(updated(&console, both).await.unwrap().email_verified);
    world.add_user_of(&world.tenant, "bob@demo.example", None).await;
    let taken = update(&console, &["email"], |user| user.email = "BOB@demo.example".to_owned());
    let status = updated(&console, taken).await.refused(Code::AlreadyExists);
    let (reason, metadata) = reason_of(&status);
    assert_eq!(
        (reason.as_str(), metadata["field"].as_str()),
        ("ALREADY_EXISTS", "email")
    );
}

async fn last_of(console: &Console, name: &str) -> (Event, ChangeDetails) {
    let events = console.world.events().await;
    let event = events.into_iter().rfind(|event| event.is(name)).unwrap();
    let Some(Details::Change(details)) = event.core.details.clone() else {
        panic!("{:?}", event.core);
    };
    (event, details)
}

#[tokio::test]
async fn malformed_and_stale_updates_change_nothing() {
    let console = Console::new().await;
    let footprint = "SELECT sum(version)::bigint + (SELECT count(*) FROM outbox) FROM app_user";
    let before = console.world.number(footprint).await;
    let cases: [Case; 12] = [
        (&[], |_| {}, Code::InvalidArgument),
        (&["user_id"], |_| {}, Code::InvalidArgument),
        (&["profile.sub"], |_| {}, Code::InvalidArgument),
        (&["email"], |user| user.email = "nobody".into(), Code::InvalidArgument),
        (&["email"], |user| user.email = "a\u{0}@b".into(), Code::InvalidArgument),
        (
            &["display_name"],
            |user| user.display_name = "a\u{0}".into(),
            Code::InvalidArgument,
        ),
        (
            &["display_name"],
            |user| user.display_name = "x".repeat(201),
            Code::InvalidArgument,
        ),
        (
            &["profile.phone_number_verified"],
            |user| {
                user.profile.get_or_insert_default().phone_number_verified = true;
            },
            Code::InvalidArgument,
        ),
        (
            &["admin_scopes"],
            |user| user.admin_scopes = vec!["openid".into()],
            Code::InvalidArgument,
        ),
        (&["display_name"], |user| user.etag = "\"v9\"".into(), Code::Aborted),
        (
            &["display_name"],
            |user| user.user_id = Uuid::new_v4().to_string(),
            Code::NotFound,
        ),
        (
            &["display_name"],
            |user| user.tenant_id = Uuid::now_v7().to_string(),
            Code::NotFound,
        ),
    ];
    for (paths, spoil, code) in cases {
        updated(&console, update(&console, paths, spoil)).await.refused(code);
    }
    let question = UpdateUserRequest {
        validate_only: true,
        ..update(&console, &["email"], |user| user.email = "new@demo.example".to_owned())
    };
    assert_eq!(updated(&console, question).await.unwrap().email, "new@demo.example");
    assert_eq!(console.world.number(footprint).await, before);
}

#[tokio::test]
async fn nobody_gives_a_scope_that_they_lack_or_takes_over_who_has_one() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let narrow = console
        .token_of(&console.admin, "credo.user.write credo.user.read")
        .await;
    let give = |token: String, scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let request = update(&console, &["admin_scopes"], |user| user.admin_scopes = scopes);
        let console = &console;
        async move {
            console
                .call_as::<UpdateUserResponse>(&token, "UserService/UpdateUser", request)
                .await
        }
    };
    let status = give(narrow.clone(), &["credo.client.write"])
        .await
        .refused(Code::PermissionDenied);
    assert_eq!(reason_of(&status).0, "SCOPE_NOT_HELD");
    // What is about the whole installation is nobody's in a tenant.
    give(console.token.clone(), &["credo.outbox.write"])
        .await
        .refused(Code::InvalidArgument);
    let tokens = replica.tokens(&world.client, &world.user).await;
    let given = give(console.token.clone(), &["credo.client.write", "credo.user.read"])
        .await
        .unwrap();
    assert_eq!(
        given.user.unwrap().admin_scopes,
        ["credo.client.write", "credo.user.read"]
    );
    assert_ended(replica, &world.client, &tokens).await;

    // Who does not hold what the user holds cannot become them, but may take it away.
    let email = update(&console, &["email"], |user| user.email = "eve@demo.example".to_owned());
    console
        .call_as::<()>(&narrow, "UserService/UpdateUser", email)
        .await
        .refused(Code::PermissionDenied);
    let password = set_password(&console, NEW_PASSWORD);
    console
        .call_as::<()>(&narrow, "UserService/SetUserPassword", password)
        .await
        .refused(Code::PermissionDenied);
    let left = give(narrow, &["credo.user.read"]).await.unwrap();
    assert_eq!(left.user.unwrap().admin_scopes, ["credo.user.read"]);
}

fn set_password(console: &Console, password: &str) -> SetUserPasswordRequest {
    SetUserPasswordRequest {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        password: password.to_owned(),
        ..Default::default()
    }
}

async fn set(console: &Console, request: SetUserPasswordRequest) -> Result<User, Status> {
    let answer: SetUserPasswordResponse = console.call("UserService/SetUserPassword", request).await?;
    Ok(answer.user.unwrap())
}

#[tokio::test]
async fn a_new_password_ends_all_that_rested_on_the_old_one() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    world
        .sql("UPDATE sign_in_attempt SET failures = 100, next_at = now() + interval '1 hour'")
        .await;
    for bad in ["short", "passwordpassword", "ann@demo.example", &"x".repeat(1_025)] {
        set(&console, set_password(&console, bad))
            .await
            .refused(Code::InvalidArgument);
    }
    let question = SetUserPasswordRequest {
        validate_only: true,
        ..set_password(&console, NEW_PASSWORD)
    };
    set(&console, question).await.unwrap();
    replica.userinfo(&tokens.access).await.ok();
    let once = SetUserPasswordRequest {
        etag: "\"v1\"".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..set_password(&console, NEW_PASSWORD)
    };
    let changed = set(&console, once.clone()).await.unwrap();
    let (event, details) = last(&console, "user_password_set").await;
    assert_eq!(
        parsed(&details.after_json),
        json!({ "has_password": true, "epoch": 2, "version": 2 })
    );
    let text = String::from_utf8_lossy(&event.bytes).into_owned();
    assert!(!text.contains(NEW_PASSWORD) && !text.contains("argon2"));
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        replica
            .sign_in(&world.client, &world.user.email, PASSWORD)
            .await
            .refuses(400, "invalid_grant");
        replica
            .sign_in(&world.client, &world.user.email, NEW_PASSWORD)
            .await
            .ok();
    }
    let alive =
        "SELECT count(*) FROM browser_session b JOIN app_user u ON u.id = b.user_id WHERE b.user_epoch = u.epoch";
    assert_eq!(world.number(alive).await, 0);
    assert_eq!(set(&console, once).await.unwrap(), changed);
    assert_eq!(
        world.number("SELECT epoch FROM app_user WHERE email LIKE 'ann%'").await,
        2
    );

    set(&console, set_password(&console, "")).await.unwrap();
    replica
        .sign_in(&world.client, &world.user.email, NEW_PASSWORD)
        .await
        .refuses(400, "invalid_grant");
    assert_eq!(world.number("SELECT count(*) FROM password").await, 0);
    // A password that comes later never has the version of one that was proved before.
    set(&console, set_password(&console, PASSWORD)).await.unwrap();
    assert_eq!(world.number("SELECT version FROM password").await, 4);
}

#[tokio::test]
async fn a_sign_in_that_races_a_new_password_is_worth_nothing() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    for (old, new) in [(PASSWORD, NEW_PASSWORD), (NEW_PASSWORD, PASSWORD)]
        .into_iter()
        .cycle()
        .take(6)
    {
        let (signed_in, changed) = tokio::join!(
            replica.sign_in(&world.client, &world.user.email, old),
            set(&console, set_password(&console, new))
        );
        changed.unwrap();
        if signed_in.status == 200 {
            let code = signed_in.ok()["code"].as_str().unwrap().to_owned();
            replica
                .exchange(&world.client, &code)
                .await
                .refuses(400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn an_unlocked_user_gets_in_at_once() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    replica
        .sign_in(&world.client, &world.user.email, "a wrong password, sorry")
        .await;
    world
        .sql("UPDATE sign_in_attempt SET failures = 100, next_at = now() + interval '1 hour'")
        .await;
    let answer = replica.sign_in(&world.client, &world.user.email, PASSWORD).await;
    answer.refuses(429, "temporarily_unavailable");
    let request = UnlockUserRequest {
        tenant_id: world.tenant.id.to_string(),
        user_id: world.user.id.to_string(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let call = |request| console.call::<()>("UserService/UnlockUser", request);
    let question = UnlockUserRequest {
        validate_only: true,
        request_id: String::new(),
        ..request.clone()
    };
    call(question).await.unwrap();
    replica
        .sign_in(&world.client, &world.user.email, PASSWORD)
        .await
        .refuses(429, "temporarily_unavailable");
    call(request.clone()).await.unwrap();
    let (_, details) = last(&console, "user_unlocked").await;
    assert_eq!(
        (parsed(&details.before_json), parsed(&details.after_json)),
        (json!({ "failures": 100 }), json!({ "failures": 0 }))
    );
    replica.sign_in(&world.client, &world.user.email, PASSWORD).await.ok();
    let events = world.events().await.len();
    call(request.clone()).await.unwrap();
    assert_eq!(world.events().await.len(), events);
    let nobody = UnlockUserRequest {
        user_id: Uuid::new_v4().to_string(),
        request_id: String::new(),
        ..request
    };
    call(nobody).await.refused(Code::NotFound);
}

fn delete(console: &Console) -> DeleteUserRequest {
    DeleteUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        reason: "asked for by the person".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_all_that_tells_of_them() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    world
        .set_profile(&world.user, &json!({ "nickname": "Ann-canary" }))
        .await;
    let browser = Browser::new(replica);
    browser.sign_in_to("demo", &world.user).await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let pending = replica.code(&world.client, &world.user).await;
    elsewhere.userinfo(&tokens.access).await.ok();
    world
        .sql(&format!(
            "INSERT INTO consent (tenant_id, user_id, client_id, scope) VALUES ('{}', '{}', '{}', 'openid')",
            world.tenant.id, world.user.id, world.client.id
        ))
        .await;
    let call = |request| console.call::<()>("UserService/DeleteUser", request);
    let spoils: [Spoil; 4] = [
        (|request| request.reason.clear(), Code::InvalidArgument),
        (|request| request.reason.push('\u{0}'), Code::InvalidArgument),
        (|request| request.etag = "\"v7\"".into(), Code::Aborted),
        (|request| request.user_id = Uuid::new_v4().to_string(), Code::NotFound),
    ];
    for (spoil, code) in spoils {
        let mut request = delete(&console);
        spoil(&mut request);
        call(request).await.refused(code);
    }
    let question = DeleteUserRequest {
        validate_only: true,
        ..delete(&console)
    };
    call(question).await.unwrap();
    replica.userinfo(&tokens.access).await.ok();

    let once = DeleteUserRequest {
        request_id: Uuid::new_v4().to_string(),
        ..delete(&console)
    };
    call(once.clone()).await.unwrap();
    let (event, details) = last(&console, "user_deleted").await;
    assert_eq!(details.reason, "asked for by the person");
    assert_eq!(parsed(&details.after_json), json!({ "status": "deleted" }));
    assert!(!String::from_utf8_lossy(&event.bytes).contains("ann@"));
    for replica in [replica, &elsewhere] {
        assert_ended(replica, &world.client, &tokens).await;
        replica
            .exchange(&world.client, &pending)
            .await
            .refuses(400, "invalid_grant");
        replica
            .sign_in(&world.client, &world.user.email, PASSWORD)
            .await
            .refuses(400, "invalid_grant");
    }
    for table in ["app_user", "password", "browser_session", "consent"] {
        let column = if table == "app_user" { "id" } else { "user_id" };
        let rows = format!("SELECT count(*) FROM {table} WHERE {column} = '{}'", world.user.id);
        assert_eq!(world.number(&rows).await, 0, "{table}");
    }
    let events = world.events().await.len();
    call(once).await.unwrap();
    assert_eq!(world.events().await.len(), events);
    call(delete(&console)).await.refused(Code::NotFound);

    // The address is free; who has it now is somebody else, and nothing revives.
    let again = world
        .add_user_of(&world.tenant, &world.user.email, Some(PASSWORD))
        .await;
    assert_ne!(again.id, world.user.id);
    replica.assert_dead(&world.client, &tokens).await;
    replica.tokens(&world.client, &again).await;
}

#[tokio::test]
async fn a_sign_in_that_races_the_deletion_leaves_nothing_behind() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    for number in 0..4 {
        let user = world
            .add_user_of(&world.tenant, &format!("bob{number}@demo.example"), Some(PASSWORD))
            .await;
        let browser = Browser::new(replica);
        let page = browser.get("/t/demo/sign-in").await;
        let request = DeleteUserRequest {
            user_id: user.id.to_string(),
            ..delete(&console)
        };
        let (_, deleted) = tokio::join!(
            browser.fill_sign_in(&page, &user.email, PASSWORD),
            console.call::<()>("UserService/DeleteUser", request)
        );
        deleted.unwrap();
        let left = format!("SELECT count(*) FROM browser_session WHERE user_id = '{}'", user.id);
        assert_eq!(world.number(&left).await, 0);
    }
}
