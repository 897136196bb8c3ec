//! What an administrator learns when the database is slow, lost or gone.

use std::time::Duration;

use credo_proto::admin::v1::{
    CreateClientRequest, CreateClientResponse, CreateUserRequest, CreateUserResponse, DisableUserRequest,
    DisableUserResponse, ListTenantsRequest, ListTenantsResponse, UserStatus,
};
use credo_testkit::eventually;
use tonic::Code;

use super::{Console, Refused as _};
use crate::support::{Loss, Proxy, Replica, ReplicaSpec, World};

const DEADLINE: Duration = Duration::from_secs(5);

/// A console whose replica reaches the database through a wire that can be cut.
async fn through_proxy() -> (Console, Proxy) {
    let world = World::new().await;
    let proxy = Proxy::start(&world.database.url_as("credo_auth_api")).await;
    let replica = Replica::start(proxy.url(), ReplicaSpec::default()).await;
    (Console::over(world, replica).await, proxy)
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_and_not_made_twice() {
    let (console, proxy) = through_proxy().await;
    for (number, loss) in [Loss::Request, Loss::Midway, Loss::Answer].into_iter().enumerate() {
        let name = format!("Marked client {number}");
        proxy.lose(name.as_bytes(), &[loss]);
        let request = CreateClientRequest {
            tenant_id: console.world.tenant.id.to_string(),
            display_name: name.clone(),
            grant_types: vec!["client_credentials".to_owned()],
            ..Default::default()
        };
        let made: CreateClientResponse = console.call("ClientService/CreateClient", request).await.unwrap();
        assert_eq!(
            (proxy.remaining(), made.client.unwrap().display_name),
            (0, name.clone()),
            "{loss:?}"
        );
        let rows = format!("SELECT count(*) FROM client WHERE display_name = '{name}'");
        assert_eq!(console.world.number(&rows).await, 1, "{loss:?}");
    }
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        3
    );
    assert_eq!(console.world.number("SELECT count(*) FROM client_secret").await, 5);
}

#[tokio::test]
async fn a_user_whose_creation_was_lost_is_not_taken_for_another() {
    let (console, proxy) = through_proxy().await;
    proxy.lose(b"marked@demo.example", &[Loss::Answer]);
    let request = CreateUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: "marked@demo.example".to_owned(),
        ..Default::default()
    };
    let made: CreateUserResponse = console.call("UserService/CreateUser", request).await.unwrap();
    assert_eq!(made.user.unwrap().email, "marked@demo.example");
    assert_eq!(
        console
            .world
            .number("SELECT count(*) FROM outbox WHERE class = 1")
            .await,
        1
    );
}

#[tokio::test]
async fn disabling_waits_for_a_request_that_holds_the_row() {
    let console = Console::new().await;
    let world = &console.world;
    let mut holder = world.owner().begin().await.unwrap();
    let hold = format!("SELECT FROM app_user WHERE id = '{}' FOR SHARE", world.user.id);
    credo_testkit::sqlx::raw_sql(credo_testkit::sqlx::AssertSqlSafe(hold))
        .execute(&mut *holder)
        .await
        .unwrap();
    let request = DisableUserRequest {
        tenant_id: world.tenant.id.to_string(),
        user_id: world.user.id.to_string(),
        ..Default::default()
    };
    let release = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually(DEADLINE, || async { world.number(waiting).await == 1 }).await;
        holder.rollback().await.unwrap();
    };
    let disable = console.call::<DisableUserResponse>("UserService/DisableUser", request);
    let (answer, ()) = tokio::join!(disable, release);
    assert_eq!(answer.unwrap().user.unwrap().status(), UserStatus::Disabled);
}

#[tokio::test]
async fn without_a_database_the_answer_is_unavailable_and_nothing_of_it_is_told() {
    let (console, proxy) = through_proxy().await;
    let list = || console.call::<ListTenantsResponse>("TenantService/ListTenants", ListTenantsRequest::default());
    list().await.unwrap(); // from here on, who calls is known without the database
    proxy.go_down();
    list().await.refused(Code::Unavailable);
    let request = CreateUserRequest {
        tenant_id: console.world.tenant.id.to_string(),
        email: "bob@demo.example".to_owned(),
        ..Default::default()
    };
    console
        .call::<()>("UserService/CreateUser", request)
        .await
        .refused(Code::Unavailable);
    assert!(console.replica.app.metrics.compliance_persist_failures.get() > 0);
}
