//! A client that goes away in the middle leaves nothing half done: case CC-05.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use credo_testkit::{eventually, sqlx};
use futures::future::join_all;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use crate::support::{Call, REDIRECT_URI, Replica, VERIFIER, World};

const DEADLINE: Duration = Duration::from_secs(5);

/// Polls `work` at most `polls` times, then drops it. Whether it was finished.
async fn abandon<T>(work: impl Future<Output = T>, polls: u32) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Nothing that a client left behind runs any more.
async fn all_work_done(replica: &Replica) {
    replica.app.drain().await;
}

/// The code's session: its state, and how many events tell of its redemption.
async fn state_and_events(world: &World) -> (i64, usize, Uuid) {
    let newest = "SELECT id FROM session ORDER BY id DESC LIMIT 1";
    let session: Uuid = sqlx::query_scalar(newest).fetch_one(world.owner()).await.unwrap();
    let state = world
        .number(&format!("SELECT state::bigint FROM session WHERE id = '{session}'"))
        .await;
    let events = world.events().await;
    let told = events
        .iter()
        .filter(|event| event.is("token_issued") && event.aggregate == session)
        .count();
    (state, told, session)
}

/// Unused, or fully redeemed with its event. Never burnt by half.
async fn assert_whole(world: &World, replica: &Replica, code: &str) -> bool {
    let (state, told, session) = state_and_events(world).await;
    assert!(
        [(0, 0), (1, 1)].contains(&(state, told)),
        "{session}: state {state}, {told} events"
    );
    let answer = replica.exchange(&world.client, code).await;
    assert_eq!(answer.status, if state == 0 { 200 } else { 400 }, "{}", answer.text());
    state == 1
}

#[tokio::test]
async fn cc_05_exchange_that_is_abandoned_is_done_or_not_begun() {
    let world = World::new().await;
    let replica = world.replica().await;
    replica.tokens(&world.client, &world.user).await; // everything is warm
    let (mut unused, mut redeemed, mut polls) = (0, 0, 0);
    loop {
        let code = replica.code(&world.client, &world.user).await;
        let finished = abandon(replica.exchange(&world.client, &code), polls).await;
        all_work_done(&replica).await;
        if finished {
            break;
        }
        if assert_whole(&world, &replica, &code).await {
            redeemed += 1;
        } else {
            unused += 1;
        }
        polls += 1;
    }
    assert!(unused >= 1 && redeemed >= 1, "{unused} unused, {redeemed} redeemed");
    // No connection was lost to those who left.
    let answers = join_all((0..12).map(|_| replica.client_credentials(&world.client, None))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn cc_05_refresh_that_is_abandoned_is_done_or_not_begun() {
    let world = World::new().await;
    let replica = world.replica().await;
    for polls in 0..6 {
        let tokens = replica.tokens(&world.client, &world.user).await;
        abandon(replica.refresh(&world.client, &tokens.refresh), polls).await;
        all_work_done(&replica).await;
        let generation = format!("SELECT generation::bigint FROM session WHERE id = '{}'", tokens.session);
        let rotated = world.number(&generation).await - 1;
        let events = world.events().await;
        let told = events
            .iter()
            .filter(|event| event.is("token_refreshed") && event.aggregate == tokens.session)
            .count();
        assert_eq!(rotated, i64::try_from(told).unwrap(), "{polls} polls");
        assert!((0..=1).contains(&rotated));
    }
    assert!(!world.event_types().await.contains(&"token_reuse_detected".to_owned()));
}

/// While its row is locked the exchange waits inside the database; its client closes the connection meanwhile.
#[tokio::test]
async fn cc_05_connection_that_closes_in_the_middle_leaves_the_code_whole() {
    let world = World::new().await;
    let replica = world.replica().await;
    replica.tokens(&world.client, &world.user).await;
    for cut in ["in the head", "in the body", "at once", "while it waits"] {
        let code = replica.code(&world.client, &world.user).await;
        let request = exchange_request(&world, &code);
        let mut transaction = world.owner().begin().await.unwrap();
        sqlx::query("SELECT id FROM session WHERE state = 0 FOR UPDATE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let server = replica.listen().await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let sent = match cut {
            "in the head" => 50,
            "in the body" => request.len() - 20,
            _ => request.len(),
        };
        stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
        if cut == "while it waits" {
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually(DEADLINE, || async { world.number(waiting).await == 1 }).await;
        }
        drop(stream);
        transaction.rollback().await.unwrap();
        if cut == "while it waits" {
            eventually(DEADLINE, || async { state_and_events(&world).await.0 == 1 }).await;
        }
        server.stop().await;
        all_work_done(&replica).await;
        assert_whole(&world, &replica, &code).await;
    }
}

fn exchange_request(world: &World, code: &str) -> String {
    let body = Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("code_verifier", VERIFIER)
        .finish();
    let request = Call::new("POST", "/").client(&world.client).into_request();
    let authorization = request.headers()["authorization"].to_str().unwrap();
    format!(
        "POST /auth/token HTTP/1.1\r\nhost: id.example\r\nauthorization: {authorization}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
