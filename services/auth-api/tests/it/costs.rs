//! What requests cost the database, by counts that a busy machine does not move: the gates of docs/performance.md. That every
//! update of a session is HOT stands in the store's tests (`growth.rs`).

use std::{collections::BTreeMap, time::Duration};

use credo_testkit::{
    eventually,
    sqlx::{self, Connection as _, PgConnection},
};
use futures::future::join_all;

use crate::support::{Answer, PASSWORD, Replica, Tokens, User, World, sign_in_body};

/// Requests under way at one time.
const AT_ONCE: usize = 64;
/// The server tells its counts of rows once in a while.
const DEADLINE: Duration = Duration::from_secs(20);
/// Rows that requests wrote: updated and inserted sessions, events, and what the feed tells of.
const ROWS: &str = "
    SELECT sum(n_tup_upd) FILTER (WHERE relname = 'session')::bigint, sum(n_tup_ins) FILTER (WHERE relname = 'session')::bigint,
           sum(n_tup_ins) FILTER (WHERE relname LIKE 'outbox\\__')::bigint,
           sum(n_tup_ins) FILTER (WHERE relname = 'revocation')::bigint,
           sum(n_tup_del + CASE WHEN relname = 'session' THEN 0 ELSE n_tup_upd END)::bigint
    FROM pg_stat_user_tables
    WHERE relname IN ('session', 'revocation', 'tenant', 'client', 'app_user', 'password') OR relname LIKE 'outbox\\__'";
const BACKENDS: &str =
    "SELECT pid FROM pg_stat_activity WHERE usename = 'credo_auth_api' AND datname = current_database()";

/// Rounds: the first write to a page after a checkpoint is a whole page of WAL, so the least of some rounds tells.
const ROUNDS: usize = 2;

/// The least WAL of a request, by statement, in bytes.
type LeastWal = BTreeMap<&'static str, i64>;

/// Rows of a request: sessions updated and inserted, events, revocations; nothing else is ever changed.
type Rows = (i64, i64, i64, i64, i64);

/// What one kind of request may cost.
struct Gate {
    /// Its statement, the waiting form apart.
    statement: &'static str,
    /// Of each request, when all are under way at one time.
    wal_bytes: i64,
    rows: Rows,
}

const AUTHORIZE: Gate = Gate {
    statement: "authorization_insert",
    wal_bytes: 1_600,
    rows: (0, 1, 1, 0, 0),
};
const EXCHANGE: Gate = Gate {
    statement: "authorization_code_redeem",
    wal_bytes: 1_200,
    rows: (1, 0, 1, 0, 0),
};
const REFRESH: Gate = Gate {
    statement: "refresh_token_rotate",
    wal_bytes: 1_000,
    rows: (1, 0, 1, 0, 0),
};
const REVOKE: Gate = Gate {
    statement: "session_revoke",
    wal_bytes: 1_400,
    rows: (1, 0, 1, 1, 0),
};
const CLIENT_CREDENTIALS: Gate = Gate {
    statement: "client_token_issue",
    wal_bytes: 750,
    rows: (0, 0, 1, 0, 0),
};

impl Gate {
    /// Does the work, all at one time, and compares what it cost with what it may.
    async fn pass<F: Future<Output = Answer>>(
        &self,
        (world, least): (&World, &mut LeastWal),
        requests: Vec<F>,
    ) -> Vec<Answer> {
        let count = i64::try_from(requests.len()).unwrap();
        let (answers, _) = world.statements_of(join_all(requests)).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}: {}", self.statement, answer.text());
        }
        let (calls, wal): (i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum(wal_bytes), 0)::bigint FROM pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND userid = 'credo_auth_api'::regrole AND query LIKE '/* ' || $1 || ' */%'",
        )
        .bind(self.statement)
        .fetch_one(world.owner())
        .await
        .unwrap();
        let name = self.statement;
        // However slowly they arrive, most of those that are under way leave together.
        let most = if count == 1 { 1 } else { count / 3 };
        assert!((1..=most).contains(&calls), "{name}: {calls} statements for {count}");
        let wal_bytes = least.entry(name).or_insert(i64::MAX);
        *wal_bytes = (*wal_bytes).min(wal / count);
        answers
    }
}

/// The counts as they are told now.
async fn rows(world: &World) -> Rows {
    sqlx::query_as(ROWS).fetch_one(world.owner()).await.unwrap()
}

/// Waits until the server tells of just these rows more than before.
async fn wrote(world: &World, before: Rows, gates: &[(&Gate, usize)]) {
    let mut wanted = before;
    for (gate, count) in gates {
        let (rows, count) = (gate.rows, i64::try_from(*count).unwrap());
        wanted.0 += rows.0 * count;
        wanted.1 += rows.1 * count;
        wanted.2 += rows.2 * count;
        wanted.3 += rows.3 * count;
        wanted.4 += rows.4 * count;
    }
    eventually(DEADLINE, || async { rows(world).await == wanted }).await;
}

async fn people(world: &World) -> Vec<User> {
    let mut people = Vec::with_capacity(AT_ONCE);
    for number in 0..AT_ONCE {
        let email = format!("person-{number}@demo.example");
        people.push(world.add_user_of(&world.tenant, &email, Some(PASSWORD)).await);
    }
    people
}

fn code(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap().to_owned()
}

/// Everything that somebody does, by so many at one time.
async fn pass_all((world, least): (&World, &mut LeastWal), replica: &Replica, people: &[User]) {
    let (client, count) = (&world.client, people.len());
    // One by one: hashes do not arrive together.
    let mut codes = Vec::with_capacity(count);
    for user in people {
        let sign_in = replica.authorize(client, sign_in_body(client, &user.email));
        codes.extend(
            AUTHORIZE
                .pass((world, &mut *least), vec![sign_in])
                .await
                .iter()
                .map(code),
        );
    }
    let exchanges = codes.iter().map(|code| replica.exchange(client, code));
    let mut tokens = EXCHANGE.pass((world, &mut *least), exchanges.collect()).await;
    for _ in 0..2 {
        let current: Vec<Tokens> = tokens.iter().map(Tokens::from).collect();
        let refreshes = current.iter().map(|tokens| replica.refresh(client, &tokens.refresh));
        tokens = REFRESH.pass((world, &mut *least), refreshes.collect()).await;
    }
    let current: Vec<Tokens> = tokens.iter().map(Tokens::from).collect();
    let revocations = current.iter().map(|tokens| replica.revoke(client, &tokens.refresh));
    REVOKE.pass((world, &mut *least), revocations.collect()).await;
    let own = people.iter().map(|_| replica.client_credentials(client, None));
    CLIENT_CREDENTIALS.pass((world, &mut *least), own.collect()).await;
}

#[tokio::test]
async fn requests_cost_what_they_may() {
    let world = World::new().await;
    world.count_statements().await;
    let replica = world.replica().await;
    replica.tokens(&world.client, &world.user).await; // client and keys are read
    replica.client_credentials(&world.client, None).await.ok();
    let people = people(&world).await;
    settle(&world).await;
    let (before, mut least) = (rows(&world).await, LeastWal::new());
    pass_all((&world, &mut least), &replica, &people[..1]).await;
    for _ in 0..ROUNDS {
        pass_all((&world, &mut least), &replica, &people).await;
    }
    // The server tells of rows when a connection has been idle for ten seconds.
    let count = 1 + ROUNDS * people.len();
    let refreshes = (&REFRESH, 2 * count);
    let others = [&AUTHORIZE, &EXCHANGE, &REVOKE, &CLIENT_CREDENTIALS].map(|gate| (gate, count));
    wrote(&world, before, &[&others[..], &[refreshes]].concat()).await;
    for gate in [AUTHORIZE, EXCHANGE, REFRESH, REVOKE, CLIENT_CREDENTIALS] {
        let (name, allowed, used) = (gate.statement, gate.wal_bytes, least[gate.statement]);
        assert!((1..=allowed).contains(&used), "{name}: {used} bytes of WAL");
    }
}

/// What was done before is told before what is measured.
async fn settle(world: &World) {
    eventually(DEADLINE, || async {
        let (sessions, events) = (
            world.number("SELECT count(*) FROM session"),
            world.number("SELECT count(*) FROM outbox"),
        );
        let (sessions, events) = (sessions.await, events.await);
        let (_, inserted, told, _, _) = rows(world).await;
        (inserted, told) == (sessions, events)
    })
    .await;
}

/// Processor time of the server for a refresh, beside that of the smallest commit: measured between 1 and 2.
#[tokio::test]
async fn a_refresh_costs_postgres_little_more_than_a_commit() {
    const ROUNDS: usize = 4;
    let world = World::new().await;
    let replica = world.replica().await;
    let people = people(&world).await;
    let mut tokens = Vec::with_capacity(AT_ONCE);
    for user in &people {
        tokens.push(replica.tokens(&world.client, user).await);
    }
    let backends: Vec<i32> = sqlx::query_scalar(BACKENDS).fetch_all(world.owner()).await.unwrap();
    assert!(!backends.is_empty());
    let used = || backends.iter().map(|pid| cpu_us(*pid)).sum::<u64>();
    let before = used();
    for _ in 0..ROUNDS {
        tokens = join_all(tokens.iter().map(|tokens| replica.rotate(&world.client, tokens))).await;
    }
    let refreshes = used() - before;

    let mut floor: PgConnection = world.owner().acquire().await.unwrap().detach();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut floor)
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE floor (payload bytea)")
        .execute(&mut floor)
        .await
        .unwrap();
    let before = cpu_us(pid);
    for _ in 0..ROUNDS * AT_ONCE {
        sqlx::query("INSERT INTO floor (payload) VALUES ('0123456789abcdef')")
            .execute(&mut floor)
            .await
            .unwrap();
    }
    let commits = cpu_us(pid) - before;
    floor.close().await.unwrap();
    assert!(
        refreshes < commits * 8,
        "{refreshes} us for refreshes, {commits} us for commits"
    );
}

/// What a process has used so far, in microseconds.
fn cpu_us(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).expect("a server on this machine");
    text.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000
}
