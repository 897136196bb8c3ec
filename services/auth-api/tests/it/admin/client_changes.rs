//! Clients that are changed, deleted and given new secrets: what they lose ends at once, on every replica.

use std::time::Duration;

use credo_proto::admin::v1::{
    Client, DeleteClientRequest, DeleteClientResponse, GetClientRequest, GetClientResponse, RotateClientSecretRequest,
    RotateClientSecretResponse, UpdateClientRequest, UpdateClientResponse,
};
use credo_proto::events::v1::core::Details;
use credo_testkit::eventually;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    Console, Refused as _,
    changes::{mask, reason},
    console::{Server, admin_spec},
};
use crate::support::{Client as Registered, ClientSpec, REDIRECT_URI};

/// What the design promises.
const LAG: Duration = Duration::from_secs(1);

async fn update(console: &Console, client: &Registered, to: Client, paths: &[&str]) -> Result<Client, Status> {
    let request = UpdateClientRequest {
        client: Some(Client {
            tenant_id: console.world.tenant.id.to_string(),
            client_id: client.id.to_string(),
            ..to
        }),
        update_mask: mask(paths),
        ..Default::default()
    };
    let answer: UpdateClientResponse = console.call("ClientService/UpdateClient", request).await?;
    Ok(answer.client.unwrap())
}

async fn rotate(console: &Console, client: &Registered, overlap_seconds: Option<i64>) -> RotateClientSecretResponse {
    let request = RotateClientSecretRequest {
        tenant_id: console.world.tenant.id.to_string(),
        client_id: client.id.to_string(),
        overlap: overlap_seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        ..Default::default()
    };
    console.call("ClientService/RotateClientSecret", request).await.unwrap()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn an_update_changes_what_the_mask_names_and_tells_before_and_after() {
    let console = Console::new().await;
    let client = console.world.client.clone();
    let to = Client {
        display_name: "New name".to_owned(),
        scopes: words(&["openid", "read"]),
        refresh_grace_seconds: 30,
        ..Default::default()
    };
    let after = update(&console, &client, to, &["display_name", "scopes"])
        .await
        .unwrap();
    assert_eq!(after.display_name, "New name");
    assert_eq!(
        (after.scopes, after.refresh_grace_seconds),
        (words(&["openid", "read"]), 0)
    );
    let event = console.world.events().await.pop().unwrap();
    assert!(event.is("client_updated") && event.class == 1);
    let Some(Details::Change(details)) = event.core.details else {
        panic!("{:?}", event.core)
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(
        parsed(&details.before_json),
        json!({ "display_name": "A client", "scope": "openid profile email offline_access read write" })
    );
    assert_eq!(
        parsed(&details.after_json),
        json!({ "display_name": "New name", "scope": "openid read" })
    );
    // The same again changes nothing.
    let to = Client {
        display_name: "New name".to_owned(),
        ..Default::default()
    };
    let same = update(&console, &client, to, &["display_name"]).await.unwrap();
    assert_eq!(same.etag, after.etag);
    let changes = console.world.events().await;
    assert_eq!(changes.iter().filter(|event| event.class == 1).count(), 1);
}

#[tokio::test]
async fn what_a_client_becomes_keeps_the_rules_of_registration() {
    let console = Console::new().await;
    let client = console.world.client.clone();
    let public = console.world.add_client(ClientSpec::public()).await;
    let versions = "SELECT sum(version)::bigint FROM client";
    let before = console.world.number(versions).await;
    let refused: [(&Registered, Client, &[&str]); 7] = [
        (&client, Client::default(), &["redirect_uris"]),
        (
            &client,
            Client {
                redirect_uris: words(&["http://evil.example/cb"]),
                ..Default::default()
            },
            &["redirect_uris"],
        ),
        (
            &client,
            Client {
                scopes: words(&["credo.client.write"]),
                ..Default::default()
            },
            &["scopes"],
        ),
        (&client, Client::default(), &["grant_types"]),
        (
            &client,
            Client {
                refresh_grace_seconds: 61,
                ..Default::default()
            },
            &["refresh_grace_seconds"],
        ),
        (
            &public,
            Client {
                grant_types: words(&["client_credentials"]),
                ..Default::default()
            },
            &["grant_types"],
        ),
        (&public, Client::default(), &["require_pkce"]),
    ];
    for (client, to, paths) in refused {
        let refused = update(&console, client, to, paths).await.refused(Code::InvalidArgument);
        assert_eq!(reason(&refused), "INVALID_FIELD", "{paths:?}");
    }
    for paths in [
        &[][..],
        &["client_id"],
        &["status"],
        &["*"],
        &["token_endpoint_auth_method"],
    ] {
        let refused = update(&console, &client, Client::default(), paths).await;
        assert_eq!(
            reason(&refused.refused(Code::InvalidArgument)),
            "INVALID_FIELD_MASK",
            "{paths:?}"
        );
    }
    assert_eq!(console.world.number(versions).await, before);
}

#[tokio::test]
async fn ad_03_codes_and_refresh_tokens_of_removed_rights_are_refused() {
    let console = Console::new().await;
    let world = &console.world;
    let elsewhere = world.replica().await;
    let client = world.client.clone();
    let code = elsewhere.code(&client, &world.user).await;
    let tokens = elsewhere
        .tokens_for(&client, &world.user, &["openid", "email", "read"])
        .await;
    let only_read = elsewhere.tokens_for(&client, &world.user, &["read"]).await;

    let to = Client {
        scopes: words(&["openid", "email", "profile"]),
        ..Default::default()
    };
    update(&console, &client, to, &["scopes"]).await.unwrap();
    let refreshed = elsewhere.refresh(&client, &tokens.refresh).await.ok();
    assert_eq!(refreshed["scope"], "email openid");
    elsewhere
        .refresh(&client, &only_read.refresh)
        .await
        .refuses(400, "invalid_grant");

    let to = Client {
        redirect_uris: words(&["https://app.example/other"]),
        ..Default::default()
    };
    update(&console, &client, to, &["redirect_uris"]).await.unwrap();
    elsewhere.exchange(&client, &code).await.refuses(400, "invalid_grant");
    let to = Client {
        redirect_uris: words(&[REDIRECT_URI]),
        ..Default::default()
    };
    update(&console, &client, to, &["redirect_uris"]).await.unwrap();

    let to = Client {
        scopes: words(&["openid"]),
        ..Default::default()
    };
    update(&console, &client, to, &["scopes"]).await.unwrap();
    let exchanged = elsewhere.exchange(&client, &code).await.ok();
    assert_eq!(
        exchanged["scope"], "openid",
        "a code gives more than its client may have"
    );

    let to = Client {
        grant_types: words(&["authorization_code"]),
        ..Default::default()
    };
    update(&console, &client, to, &["grant_types"]).await.unwrap();
    let refresh_token = exchanged["refresh_token"].as_str().unwrap();
    elsewhere
        .refresh(&client, refresh_token)
        .await
        .refuses(400, "unauthorized_client");
    assert!(!elsewhere.is_active(&client, refresh_token).await);
}

#[tokio::test]
async fn two_secrets_overlap_and_the_old_one_ends_on_every_replica() {
    let console = Console::new().await;
    let elsewhere = console.world.replica().await;
    let old = console.world.client.clone();
    // Kept by the other replica.
    elsewhere.client_credentials(&old, Some("read")).await.ok();
    let answer = rotate(&console, &old, None).await;
    let shown = answer.client.unwrap().secrets;
    assert_eq!(shown.len(), 2);
    let overlap = shown[0].expire_time.unwrap().seconds - shown[1].create_time.unwrap().seconds;
    assert_eq!((overlap, shown[1].expire_time), (86_400, None));
    let new = Registered {
        secret: Some(answer.client_secret),
        ..old.clone()
    };
    for secret in [&old, &new] {
        elsewhere.client_credentials(secret, Some("read")).await.ok();
        console.replica.client_credentials(secret, Some("read")).await.ok();
    }

    // The third ends the first, and the second at once: nobody's cache holds on to either.
    let newest = Registered {
        secret: Some(rotate(&console, &old, Some(0)).await.client_secret),
        ..old.clone()
    };
    for secret in [&old, &new] {
        console
            .replica
            .introspect(secret, "x")
            .await
            .refuses(401, "invalid_client");
        eventually(LAG, || async { elsewhere.introspect(secret, "x").await.status == 401 }).await;
        elsewhere
            .client_credentials(secret, Some("read"))
            .await
            .refuses(401, "invalid_client");
    }
    elsewhere.client_credentials(&newest, Some("read")).await.ok();
    let stored = format!("SELECT count(*) FROM client_secret WHERE client_id = '{}'", old.id);
    assert_eq!(console.world.number(&stored).await, 1);
}

#[tokio::test]
async fn a_secret_that_expires_is_refused_although_it_was_kept() {
    let console = Console::new().await;
    let elsewhere = console.world.replica().await;
    let old = console.world.client.clone();
    rotate(&console, &old, Some(60)).await;
    elsewhere.introspect(&old, "x").await.ok();
    elsewhere.clock.advance(Duration::from_secs(59));
    // The clock that counts is the database's; the feed tells how far ours is from it.
    console
        .world
        .sql("UPDATE client_secret SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL")
        .await;
    console
        .replica
        .introspect(&old, "x")
        .await
        .refuses(401, "invalid_client");
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_rotate() {
    let console = Console::new().await;
    let public = console.world.add_client(ClientSpec::public()).await;
    let request = |overlap: Option<i64>, client: &Registered| RotateClientSecretRequest {
        tenant_id: console.world.tenant.id.to_string(),
        client_id: client.id.to_string(),
        overlap: overlap.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        ..Default::default()
    };
    let rotate = |request| console.call::<RotateClientSecretResponse>("ClientService/RotateClientSecret", request);
    let refused = rotate(request(None, &public)).await.refused(Code::FailedPrecondition);
    assert_eq!(reason(&refused), "FAILED_PRECONDITION");
    for overlap in [-1, 30 * 86_400 + 1, i64::MAX, i64::MIN] {
        let refused = rotate(request(Some(overlap), &console.world.client)).await;
        refused.refused(Code::InvalidArgument);
    }
}

#[tokio::test]
async fn ad_03_tokens_for_the_admin_apis_end_with_the_scope_and_with_the_secret() {
    let console = Console::new().await;
    let world = &console.world;
    let elsewhere = world.replica().await;
    let other = Server::start(&elsewhere).await;
    let get = |client: &Registered| GetClientRequest {
        tenant_id: world.tenant.id.to_string(),
        client_id: client.id.to_string(),
    };
    let path = "/credo.admin.v1.ClientService/GetClient";
    let opens = async |token: &str, client: &Registered| {
        let message = || get(client).encode_to_vec();
        let answers = [
            console.server().send(path, Some(token), message()).await,
            other.send(path, Some(token), message()).await,
        ];
        answers.map(|answer| match answer {
            Ok(_) => true,
            Err(status) if status.code() == Code::Unauthenticated => false,
            Err(status) => panic!("{status}"),
        })
    };
    let scopes = "credo.client.read credo.client.write credo.user.read";
    for (loses, ends) in [("scope", true), ("other", false), ("secret", true), ("overlap", false)] {
        let spec = ClientSpec {
            scope: scopes,
            ..admin_spec()
        };
        let client = world.add_client(spec).await;
        let token = console.token_of(&client, "credo.client.read").await;
        assert_eq!(opens(&token, &client).await, [true, true], "{loses}");
        let to = |scopes: &[&str]| Client {
            scopes: words(scopes),
            display_name: "Another".to_owned(),
            ..Default::default()
        };
        match loses {
            "scope" => {
                let left = ["credo.client.write", "credo.user.read"];
                update(&console, &client, to(&left), &["scopes"]).await.unwrap();
            }
            "other" => {
                update(&console, &client, to(&[]), &["display_name"]).await.unwrap();
            }
            overlap => {
                rotate(&console, &client, Some(if overlap == "secret" { 0 } else { 60 })).await;
            }
        }
        // At once where it was changed, and within a second everywhere.
        assert_eq!(opens(&token, &client).await[0], !ends, "{loses}");
        if ends {
            eventually(LAG, || async { opens(&token, &client).await == [false, false] }).await;
        } else {
            assert_eq!(opens(&token, &client).await, [true, true], "{loses}");
        }
    }
}

#[tokio::test]
async fn people_stay_signed_in_to_a_client_whose_secret_ends_or_that_loses_a_scope_of_theirs() {
    let console = Console::new().await;
    let client = console.world.client.clone();
    let tokens = console.replica.tokens(&client, &console.world.user).await;
    let to = Client {
        scopes: words(&["openid", "email"]),
        ..Default::default()
    };
    update(&console, &client, to, &["scopes"]).await.unwrap();
    rotate(&console, &client, Some(0)).await;
    assert_eq!(console.replica.userinfo(&tokens.access).await.status, 200);
    let epoch = "SELECT max(epoch) FROM client";
    assert_eq!(console.world.number(epoch).await, 1);
}

#[tokio::test]
async fn a_deleted_client_is_as_unknown_as_one_that_never_was() {
    let console = Console::new().await;
    let world = &console.world;
    let elsewhere = world.replica().await;
    let client = world.client.clone();
    let tokens = elsewhere.tokens(&client, &world.user).await;
    let code = elsewhere.code(&client, &world.user).await;
    world
        .sql(&format!(
            "INSERT INTO consent (tenant_id, user_id, client_id, scope) VALUES ('{}', '{}', '{}', 'openid')",
            world.tenant.id, world.user.id, client.id
        ))
        .await;
    let delete = DeleteClientRequest {
        tenant_id: world.tenant.id.to_string(),
        client_id: client.id.to_string(),
        reason: "replaced by another".to_owned(),
        ..Default::default()
    };
    console
        .call::<DeleteClientResponse>("ClientService/DeleteClient", delete.clone())
        .await
        .unwrap();
    for replica in [&console.replica, &elsewhere] {
        eventually(LAG, || async { replica.userinfo(&tokens.access).await.status == 401 }).await;
        replica.exchange(&client, &code).await.refuses(401, "invalid_client");
        replica
            .refresh(&client, &tokens.refresh)
            .await
            .refuses(401, "invalid_client");
        replica
            .client_credentials(&client, None)
            .await
            .refuses(401, "invalid_client");
    }
    let get = |client_id: String| GetClientRequest {
        tenant_id: world.tenant.id.to_string(),
        client_id,
    };
    let find = |request| console.call::<GetClientResponse>("ClientService/GetClient", request);
    let gone = find(get(client.id.to_string())).await.refused(Code::NotFound);
    let never = find(get(Uuid::now_v7().to_string())).await.refused(Code::NotFound);
    assert_eq!(gone.message(), never.message());
    let again = console
        .call::<DeleteClientResponse>("ClientService/DeleteClient", delete)
        .await;
    again.refused(Code::NotFound);
    for table in ["client_secret", "consent"] {
        let rows = format!("SELECT count(*) FROM {table} WHERE client_id = '{}'", client.id);
        assert_eq!(world.number(&rows).await, 0, "{table}");
    }
    let events = world.events().await;
    let event = events.iter().find(|event| event.is("client_deleted")).unwrap();
    let Some(Details::Change(details)) = &event.core.details else {
        panic!("{:?}", event.core)
    };
    assert_eq!(details.reason, "replaced by another");
    assert!(details.before_json.contains("\"status\":\"active\"") && details.after_json.contains("\"deleted\""));
}

#[tokio::test]
async fn a_reason_is_needed_to_delete() {
    let console = Console::new().await;
    for text in ["", "  ", "a\nb", &"x".repeat(501)] {
        let delete = DeleteClientRequest {
            tenant_id: console.world.tenant.id.to_string(),
            client_id: console.world.client.id.to_string(),
            reason: text.to_owned(),
            ..Default::default()
        };
        let refused = console
            .call::<DeleteClientResponse>("ClientService/DeleteClient", delete)
            .await;
        assert_eq!(
            reason(&refused.refused(Code::InvalidArgument)),
            "INVALID_FIELD",
            "{text:?}"
        );
    }
}
