//! Attempts are counted before anything is hashed, also under parallelism and for nobody's account.

use std::sync::Arc;

use credo_auth_domain::email_address::EmailAddress;
use credo_auth_store::{Account, Authorization, Reservation};
use credo_ids::{DeviceId, TenantId};
use futures::future::join_all;

use crate::fixture::{World, hash};

async fn reserve(world: &World, email: &str, account: u8) -> Reservation {
    let email = EmailAddress::parse(email).unwrap();
    let account = Account {
        tenant: world.tenant,
        hash: hash(account),
        device: None,
        email: &email,
    };
    world.store.reserve_sign_in_attempt(&account).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pw_05_attempts_are_bounded_under_parallelism() {
    let world = Arc::new(World::new().await);
    let tasks = (0..60).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { matches!(reserve(&world, "nobody@one.example", 7).await, Reservation::Nobody) })
    });
    let let_through = join_all(tasks)
        .await
        .into_iter()
        .filter(|task| *task.as_ref().unwrap())
        .count();
    assert_eq!(let_through, 11, "ten are free, and the eleventh starts the wait");
    let Reservation::TooMany { retry_after_seconds } = reserve(&world, "nobody@one.example", 7).await else {
        panic!("the account is not delayed");
    };
    assert!((1..=900).contains(&retry_after_seconds));
    assert!(
        matches!(reserve(&world, "nobody@one.example", 8).await, Reservation::Nobody),
        "another account waits too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pw_05_a_thousand_guesses_at_once_get_no_more_through() {
    let world = Arc::new(World::new().await);
    let tasks = (0..1_000).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            // Whoever gets no connection in time is refused, and has guessed nothing.
            let email = EmailAddress::parse("nobody@one.example").unwrap();
            let account = Account {
                tenant: world.tenant,
                hash: hash(7),
                device: None,
                email: &email,
            };
            matches!(
                world.store.reserve_sign_in_attempt(&account).await,
                Ok(Reservation::Nobody)
            )
        })
    });
    let guesses = join_all(tasks).await;
    let let_through = guesses.iter().filter(|task| *task.as_ref().unwrap()).count();
    // The eleventh starts a wait of two seconds, and each one after it a longer one.
    assert!((11..=13).contains(&let_through), "{let_through}");
    let counted: i32 = sqlx::query_scalar("SELECT failures FROM sign_in_attempt")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert!(
        usize::try_from(counted).unwrap() >= let_through,
        "{counted} of {let_through}"
    );
}

#[tokio::test]
async fn wait_doubles_to_a_quarter_of_an_hour_and_success_ends_it() {
    let world = World::new().await;
    let mut waits = Vec::new();
    for _ in 0..30 {
        reserve(&world, "a@one.example", 7).await;
        let wait: f64 =
            sqlx::query_scalar("SELECT extract(epoch FROM next_at - attempted_at)::float8 FROM sign_in_attempt")
                .fetch_one(world.owner())
                .await
                .unwrap();
        waits.push(wait);
        world.sql("UPDATE sign_in_attempt SET next_at = now()").await;
    }
    assert_eq!(waits[..13], [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 2., 4., 8.]);
    assert_eq!(waits.last(), Some(&900.));
    let mut item = world.authorize();
    item.account = Some(hash(7));
    assert_eq!(
        world.store.insert_authorization(item.clone()).await.unwrap(),
        Authorization::Authorized
    );
    let failures: i32 = sqlx::query_scalar("SELECT failures FROM sign_in_attempt")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(failures, 0);
}

#[tokio::test]
async fn disabled_user_and_user_without_password_are_nobody() {
    let world = World::new().await;
    assert!(matches!(reserve(&world, "a@one.example", 1).await, Reservation::Nobody));
    sqlx::query("INSERT INTO password (user_id, tenant_id, hash) VALUES ($1, $2, '$argon2id$x')")
        .bind(world.user.as_uuid())
        .bind(world.tenant.as_uuid())
        .execute(world.owner())
        .await
        .unwrap();
    let Reservation::Candidate {
        user, password_version, ..
    } = reserve(&world, "a@one.example", 2).await
    else {
        panic!("the user is not found");
    };
    assert_eq!((user, password_version), (world.user, 1));
    world.sql("UPDATE app_user SET status = 2").await;
    assert!(matches!(reserve(&world, "a@one.example", 3).await, Reservation::Nobody));
}

#[tokio::test]
async fn pw_08_known_device_has_a_count_of_its_own() {
    let world = World::new().await;
    let email = EmailAddress::parse("a@one.example").unwrap();
    let known = DeviceId::random_v4();
    let try_with = async |device: Option<DeviceId>| {
        let account = Account {
            tenant: world.tenant,
            hash: hash(1),
            device: device.map(|device| (device, hash(2))),
            email: &email,
        };
        world.store.reserve_sign_in_attempt(&account).await.unwrap()
    };
    let too_many = |reservation: &Reservation| matches!(reservation, Reservation::TooMany { .. });
    try_with(None).await;
    world
        .sql("UPDATE sign_in_attempt SET failures = 100, next_at = now() - interval '1 hour'")
        .await;
    // Strangers' devices share the account's count, whatever they call themselves.
    let Reservation::TooMany { retry_after_seconds } = try_with(Some(known)).await else {
        panic!("a device that nobody knows is let through");
    };
    assert_eq!(retry_after_seconds, 900);
    let mut item = world.authorize();
    item.device_id = known;
    world.store.insert_authorization(item.clone()).await.unwrap();
    assert!(!too_many(&try_with(Some(known)).await), "the owner's device waits too");
    assert!(too_many(&try_with(None).await) && too_many(&try_with(Some(DeviceId::random_v4())).await));
    // Its success ends both counts.
    let mut item = world.authorize();
    (item.account, item.device_account) = (Some(hash(1)), Some(hash(2)));
    world.store.insert_authorization(item.clone()).await.unwrap();
    let failures: i64 = sqlx::query_scalar("SELECT sum(failures) FROM sign_in_attempt")
        .fetch_one(world.owner())
        .await
        .unwrap();
    assert_eq!(failures, 0);
    assert!(!too_many(&try_with(None).await));
}

#[tokio::test]
async fn pw_04_another_hash_is_for_the_password_that_was_proved() {
    let world = World::new().await;
    sqlx::query("INSERT INTO password (user_id, tenant_id, hash, version) VALUES ($1, $2, '$argon2id$old', 2)")
        .bind(world.user.as_uuid())
        .bind(world.tenant.as_uuid())
        .execute(world.owner())
        .await
        .unwrap();
    let stored = async || -> (String, i64) {
        let row = sqlx::query_as("SELECT hash, version FROM password");
        row.fetch_one(world.owner()).await.unwrap()
    };
    let (other, new) = (TenantId::now_v7(), "$argon2id$new".to_owned().into());
    for (tenant, version) in [(world.tenant, 1), (world.tenant, 3), (other, 2)] {
        let rehash = world.store.rehash_password(tenant, world.user, (version, &new));
        rehash.await.unwrap();
        assert_eq!(stored().await, ("$argon2id$old".to_owned(), 2));
    }
    let rehash = world.store.rehash_password(world.tenant, world.user, (2, &new));
    rehash.await.unwrap();
    assert_eq!(stored().await, ("$argon2id$new".to_owned(), 2));
}
