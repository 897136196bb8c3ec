//! Users: made, found, disabled and enabled.

use credo_proto::admin::v1::{
    Address, CreateUserRequest, CreateUserResponse, DisableUserRequest, DisableUserResponse, EnableUserRequest,
    EnableUserResponse, GetUserRequest, GetUserResponse, LookUpUserRequest, LookUpUserResponse, Profile, User,
    UserStatus,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Console, Refused as _};

/// Spoils a request that is right, and names the field that must be refused.
type Case = (&'static str, fn(&mut CreateUserRequest));

const PASSWORD: &str = "a long enough password";

fn request(console: &Console, email: &str) -> CreateUserRequest {
    CreateUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: email.to_owned(),
        ..Default::default()
    }
}

async fn create(console: &Console, request: CreateUserRequest) -> Result<User, Status> {
    let answer: CreateUserResponse = console.call("UserService/CreateUser", request).await?;
    Ok(answer.user.unwrap())
}

async fn look_up(console: &Console, email: &str) -> Result<User, Status> {
    let request = LookUpUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: email.to_owned(),
    };
    let answer: LookUpUserResponse = console.call("UserService/LookUpUser", request).await?;
    Ok(answer.user.unwrap())
}

async fn disable(console: &Console) -> User {
    let request = DisableUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        ..Default::default()
    };
    let answer: DisableUserResponse = console.call("UserService/DisableUser", request).await.unwrap();
    answer.user.unwrap()
}

async fn enable(console: &Console) -> User {
    let request = EnableUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        user_id: console.world.user.id.to_string(),
        ..Default::default()
    };
    let answer: EnableUserResponse = console.call("UserService/EnableUser", request).await.unwrap();
    answer.user.unwrap()
}

async fn state(console: &Console) -> (i64, i64, i64) {
    let column = |name| {
        format!(
            "SELECT {name}::bigint FROM app_user WHERE id = '{}'",
            console.world.user.id
        )
    };
    (
        console.world.number(&column("status")).await,
        console.world.number(&column("epoch")).await,
        console.world.number(&column("version")).await,
    )
}

#[tokio::test]
async fn a_user_with_a_password_can_sign_in_and_is_found() {
    let console = Console::new().await;
    let made = create(
        &console,
        CreateUserRequest {
            email: " Zo\u{eb}@Demo.EXAMPLE ".to_owned(),
            email_verified: true,
            display_name: "Zoë".to_owned(),
            password: PASSWORD.to_owned(),
            ..request(&console, "")
        },
    )
    .await
    .unwrap();
    assert_eq!(
        (made.email.as_str(), made.display_name.as_str()),
        ("zo\u{eb}@demo.example", "Zoë")
    );
    assert!(made.email_verified && made.status() == UserStatus::Active);
    let answer = console
        .replica
        .sign_in(&console.world.client, "ZOE\u{308}@demo.example", PASSWORD)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    assert_eq!(look_up(&console, "ZOE\u{308}@demo.example").await.unwrap(), made);
    let get = GetUserRequest {
        tenant_id: made.tenant_id.clone(),
        user_id: made.user_id.clone(),
    };
    let got: GetUserResponse = console.call("UserService/GetUser", get).await.unwrap();
    let got = got.user.unwrap();
    assert!(got.sign_in.as_ref().unwrap().has_password);
    assert_eq!(User { sign_in: None, ..got }, made);
}

#[tokio::test]
async fn a_user_without_a_password_cannot_sign_in() {
    let console = Console::new().await;
    let made = create(&console, request(&console, "bob@demo.example")).await.unwrap();
    assert!(!made.email_verified && made.display_name.is_empty());
    let answer = console
        .replica
        .sign_in(&console.world.client, "bob@demo.example", PASSWORD)
        .await;
    answer.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn a_users_profile_is_kept_as_it_was_given_and_stays_out_of_the_trail() {
    let console = Console::new().await;
    let profile = Profile {
        given_name: "Zo\u{eb}".to_owned(),
        birthdate: "0000-02-29".to_owned(),
        phone_number: "+41446681800".to_owned(),
        address: Some(Address {
            country: "Helvetia".to_owned(),
            ..Address::default()
        }),
        ..Profile::default()
    };
    let made = CreateUserRequest {
        profile: Some(profile.clone()),
        ..request(&console, "zoe@demo.example")
    };
    let made = create(&console, made).await.unwrap();
    assert_eq!(made.profile, Some(profile));
    let found = look_up(&console, "zoe@demo.example").await.unwrap();
    assert_eq!(found, made);
    for event in console.world.events().await {
        let text = String::from_utf8_lossy(&event.bytes).into_owned();
        for private in ["Zo\u{eb}", "+41446681800", "Helvetia"] {
            assert!(!text.contains(private), "{private}");
        }
    }
}

#[tokio::test]
async fn an_address_names_one_user_of_a_tenant() {
    let console = Console::new().await;
    create(&console, request(&console, "ANN@demo.example"))
        .await
        .refused(Code::AlreadyExists);
    let attempts = (0..8).map(|_| create(&console, request(&console, "bob@demo.example")));
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        1
    );

    let other = console.world.add_tenant("other").await;
    let elsewhere = CreateUserRequest {
        tenant_id: other.id.to_string(),
        ..request(&console, "ann@demo.example")
    };
    create(&console, elsewhere).await.unwrap();
    let nowhere = CreateUserRequest {
        tenant_id: credo_ids::TenantId::now_v7().to_string(),
        ..request(&console, "ann@demo.example")
    };
    create(&console, nowhere).await.refused(Code::NotFound);
}

#[tokio::test]
async fn malformed_users_are_refused_with_their_fields() {
    let console = Console::new().await;
    let users = console.world.number("SELECT count(*) FROM app_user").await;
    let cases: [Case; 10] = [
        ("email", |user| user.email.clear()),
        ("email", |user| user.email = "nobody".into()),
        ("email", |user| user.email = "a b@c.example".into()),
        ("display_name", |user| user.display_name = "a\u{0}b".into()),
        ("display_name", |user| user.display_name = "x".repeat(201)),
        ("profile.website", |user| {
            user.profile.get_or_insert_default().website = "javascript:alert(1)".into();
        }),
        ("profile.phone_number_verified", |user| {
            user.profile.get_or_insert_default().phone_number_verified = true;
        }),
        ("password", |user| user.password = "short".into()),
        ("password", |user| user.password = "passwordpassword".into()),
        ("password", |user| user.password = "x".repeat(1_025)),
    ];
    for (field, spoil) in cases {
        let mut user = request(&console, "bob@demo.example");
        spoil(&mut user);
        let status = create(&console, user).await.refused(Code::InvalidArgument);
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(
            violations
                .iter()
                .map(|violation| violation.field.as_str())
                .collect::<Vec<_>>(),
            [field]
        );
    }
    look_up(&console, "nobody").await.refused(Code::InvalidArgument);
    look_up(&console, "nobody@demo.example").await.refused(Code::NotFound);
    assert_eq!(console.world.number("SELECT count(*) FROM app_user").await, users);
}

#[tokio::test]
async fn disabling_ends_what_was_issued_for_the_user_and_enabling_revives_nothing() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let elsewhere = world.replica().await;
    let tokens = replica.tokens(&world.client, &world.user).await;
    let pending = replica.code(&world.client, &world.user).await;

    let disabled = disable(&console).await;
    assert_eq!(disabled.status(), UserStatus::Disabled);
    assert_eq!(state(&console).await, (2, 2, 2));
    let feed = format!(
        "SELECT count(*) FROM revocation WHERE kind = 6 AND id = '{}' AND epoch = 2",
        world.user.id
    );
    assert_eq!(world.number(&feed).await, 1);
    for replica in [replica, &elsewhere] {
        replica
            .refresh(&world.client, &tokens.refresh)
            .await
            .refuses(400, "invalid_grant");
        replica
            .exchange(&world.client, &pending)
            .await
            .refuses(400, "invalid_grant");
        let sign_in = replica
            .sign_in(&world.client, &world.user.email, crate::support::PASSWORD)
            .await;
        sign_in.refuses(400, "invalid_grant");
    }
    replica.userinfo(&tokens.access).await.challenges(401, "invalid_token");

    assert_eq!(enable(&console).await.status(), UserStatus::Active);
    assert_eq!(state(&console).await, (1, 2, 3));
    replica
        .exchange(&world.client, &pending)
        .await
        .refuses(400, "invalid_grant");
    replica.assert_dead(&world.client, &tokens).await;
    replica.tokens(&world.client, &world.user).await;
}

#[tokio::test]
async fn disabling_and_enabling_twice_changes_nothing() {
    let console = Console::new().await;
    enable(&console).await;
    assert_eq!(state(&console).await, (1, 1, 1));
    let once = disable(&console).await;
    assert_eq!(disable(&console).await, once);
    assert_eq!(state(&console).await, (2, 2, 2));
    let once = enable(&console).await;
    assert_eq!(enable(&console).await, once);
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        2
    );
    assert_eq!(console.world.number("SELECT count(*) FROM revocation").await, 1);
}
