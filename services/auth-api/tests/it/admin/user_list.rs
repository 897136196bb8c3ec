//! The people of a tenant in pages, and how their sign-in stands.

use std::collections::BTreeSet;

use credo_ids::TenantId;
use credo_proto::admin::v1::{
    GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, SignInStatus, User, UserStatus,
};
use tonic::Code;

use super::{Console, Refused as _};
use crate::support::PASSWORD;

fn request(console: &Console) -> ListUsersRequest {
    ListUsersRequest {
        tenant_id: console.world.tenant.id.to_string(),
        ..Default::default()
    }
}

async fn list(console: &Console, request: ListUsersRequest) -> Vec<User> {
    let (mut users, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListUsersRequest {
            page_token,
            ..request.clone()
        };
        let size = usize::try_from(request.page_size).unwrap();
        let page: ListUsersResponse = console.call("UserService/ListUsers", request).await.unwrap();
        assert!(size == 0 || page.users.len() <= size);
        users.extend(page.users);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return users;
        }
    }
}

#[tokio::test]
async fn pages_hold_everybody_of_the_tenant_once() {
    let console = Console::new().await;
    let world = &console.world;
    let mut expected = BTreeSet::from([world.user.id.to_string()]);
    for number in 0..4 {
        let email = format!("bob{number}@demo.example");
        let user = world.add_user_of(&world.tenant, &email, None).await;
        expected.insert(user.id.to_string());
    }
    let other = world.add_tenant("other").await;
    world.add_user_of(&other, "eve@other.example", None).await;
    for page_size in [1, 2, 5, 0] {
        let request = ListUsersRequest {
            page_size,
            ..request(&console)
        };
        let users = list(&console, request).await;
        assert_eq!(users.len(), expected.len(), "{page_size}");
        assert_eq!(
            users.iter().map(|user| user.user_id.clone()).collect::<BTreeSet<_>>(),
            expected
        );
        assert!(users.iter().all(|user| user.tenant_id == world.tenant.id.to_string()));
        assert!(users.iter().all(|user| user.sign_in.is_none()));
    }
}

#[tokio::test]
async fn filters_hold_together_and_a_token_is_bound_to_them() {
    let console = Console::new().await;
    let world = &console.world;
    for email in [
        "anna@demo.example",
        "an_a@demo.example",
        "zo\u{eb}@demo.example",
        "b%b@demo.example",
    ] {
        world.add_user_of(&world.tenant, email, None).await;
    }
    world.disable_user(world.user.id).await;
    let find = |status: UserStatus, prefix: &str| {
        let request = ListUsersRequest {
            status: status.into(),
            email_prefix: prefix.to_owned(),
            ..request(&console)
        };
        let console = &console;
        async move {
            let users = list(console, request).await;
            users.into_iter().map(|user| user.email).collect::<BTreeSet<_>>()
        }
    };
    let emails = |emails: &[&str]| {
        emails
            .iter()
            .map(|email| format!("{email}@demo.example"))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(find(UserStatus::Disabled, "").await, emails(&["ann"]));
    assert_eq!(
        find(UserStatus::Unspecified, "an").await,
        emails(&["ann", "anna", "an_a"])
    );
    assert_eq!(find(UserStatus::Active, " AN").await, emails(&["anna", "an_a"]));
    assert_eq!(find(UserStatus::Active, "ann@").await, emails(&[]));
    assert_eq!(find(UserStatus::Unspecified, "ZOE\u{308}").await, emails(&["zo\u{eb}"]));
    // Nothing is a wildcard.
    assert_eq!(find(UserStatus::Unspecified, "an_").await, emails(&["an_a"]));
    assert_eq!(find(UserStatus::Unspecified, "%").await, emails(&[]));
    assert_eq!(find(UserStatus::Unspecified, "b%").await, emails(&["b%b"]));

    let first = ListUsersRequest {
        page_size: 1,
        email_prefix: "an".to_owned(),
        ..request(&console)
    };
    let page: ListUsersResponse = console.call("UserService/ListUsers", first.clone()).await.unwrap();
    let other = world.add_tenant("other").await;
    let with_token = |change: fn(&mut ListUsersRequest, TenantId)| {
        let mut request = ListUsersRequest {
            page_token: page.next_page_token.clone(),
            ..first.clone()
        };
        change(&mut request, other.id);
        console.call::<ListUsersResponse>("UserService/ListUsers", request)
    };
    with_token(|request, _| request.page_size = 5).await.unwrap();
    for change in [
        (|request, _| request.email_prefix.clear()) as fn(&mut ListUsersRequest, TenantId),
        |request, _| request.email_prefix.push('n'),
        |request, _| request.status = UserStatus::Active.into(),
        |request, other| request.tenant_id = other.to_string(),
        |request, _| request.page_token.push('A'),
    ] {
        with_token(change).await.refused(Code::InvalidArgument);
    }
}

#[tokio::test]
async fn malformed_filters_are_refused() {
    let console = Console::new().await;
    let cases: [fn(&mut ListUsersRequest); 6] = [
        |request| request.status = 7,
        |request| request.email_prefix = "a\u{0}".into(),
        |request| request.email_prefix = "x".repeat(255),
        |request| request.page_size = -1,
        |request| request.page_token = "x\u{0}".into(),
        |request| request.tenant_id = "x".into(),
    ];
    for spoil in cases {
        let mut request = request(&console);
        spoil(&mut request);
        let answer = console
            .call::<ListUsersResponse>("UserService/ListUsers", request)
            .await;
        answer.refused(Code::InvalidArgument);
    }
    let nowhere = ListUsersRequest {
        tenant_id: TenantId::now_v7().to_string(),
        ..request(&console)
    };
    let answer = console
        .call::<ListUsersResponse>("UserService/ListUsers", nowhere)
        .await;
    answer.refused(Code::NotFound);
}

#[tokio::test]
async fn get_tells_how_sign_in_stands() {
    let console = Console::new().await;
    let (world, replica) = (&console.world, &console.replica);
    let status = || async {
        let request = GetUserRequest {
            tenant_id: world.tenant.id.to_string(),
            user_id: world.user.id.to_string(),
        };
        let answer: GetUserResponse = console.call("UserService/GetUser", request).await.unwrap();
        answer.user.unwrap().sign_in.unwrap()
    };
    let fresh = SignInStatus {
        has_password: true,
        ..SignInStatus::default()
    };
    assert_eq!(status().await, fresh);
    for _ in 0..12 {
        replica
            .sign_in(&world.client, &world.user.email, "a wrong password, sorry")
            .await;
    }
    let waiting = status().await;
    assert_eq!((waiting.failures, waiting.known_device_only), (11, false));
    assert!(waiting.next_attempt_time.is_some());
    world
        .sql("UPDATE sign_in_attempt SET failures = 100, next_at = now()")
        .await;
    let locked = status().await;
    assert_eq!((locked.next_attempt_time, locked.known_device_only), (None, true));
    world
        .sql("UPDATE sign_in_attempt SET failures = 5; DELETE FROM password")
        .await;
    let none = SignInStatus {
        failures: 5,
        ..SignInStatus::default()
    };
    assert_eq!(status().await, none);
    let refused = replica.sign_in(&world.client, &world.user.email, PASSWORD).await;
    refused.refuses(400, "invalid_grant");
}
