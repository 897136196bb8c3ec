//! Histories of parallel requests, checked: cases CC of the case list.

use std::{sync::Mutex, time::Duration};

use credo_testkit::{eventually, sqlx};
use tokio::time::Instant;

use crate::support::{Answer, PASSWORD, Replica, Tokens, User, World};

const DEADLINE: Duration = Duration::from_secs(5);
/// Rounds of the random history.
const ROUNDS: u64 = 60;

/// A small generator with a seed that the test names: the same history again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A moment to wait, so that every order of things comes up.
    async fn pause(&mut self) {
        let micros = self.below(3_000);
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// What happened in a round.
#[derive(Default)]
struct History {
    /// When each answered request was sent, and its answer.
    answers: Mutex<Vec<(Instant, Answer)>>,
    /// When the disabling had committed.
    disabled_at: Mutex<Option<Instant>>,
    /// When an ending of the session was answered.
    ended_at: Mutex<Option<Instant>>,
}

impl History {
    /// Refreshes along the chain, as a client does, until it is refused.
    async fn refresh_on(&self, world: &World, replica: &Replica, first: &str, seed: u64) {
        let (mut random, mut token) = (Random(seed), first.to_owned());
        for _ in 0..4 {
            random.pause().await;
            let sent = Instant::now();
            let answer = replica.refresh(&world.client, &token).await;
            assert!(
                [200, 400].contains(&answer.status),
                "{}: {}",
                answer.status,
                answer.text()
            );
            let good = answer.status == 200;
            if good {
                token = Tokens::from(&answer).refresh;
            }
            self.answers.lock().unwrap().push((sent, answer));
            if !good {
                return;
            }
        }
    }

    /// No tokens for a request that was sent after the disabling had committed, or after the ending was answered.
    fn check(&self) {
        let ends = [*self.disabled_at.lock().unwrap(), *self.ended_at.lock().unwrap()];
        for (sent, answer) in self.answers.lock().unwrap().iter() {
            for end in ends.into_iter().flatten() {
                assert!(
                    answer.status != 200 || *sent < end,
                    "tokens {:?} after the end",
                    sent.duration_since(end)
                );
            }
        }
    }
}

/// Refreshes along two chains, a logout and a disabling, in a random order of moments, on two replicas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cc_01_no_history_issues_tokens_after_the_end() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let mut random = Random(20_261_123);
    for round in 0..ROUNDS {
        let user = world
            .add_user_of(&world.tenant, &format!("user{round}@demo.example"), Some(PASSWORD))
            .await;
        let (tokens, spare) = (
            one.tokens(&world.client, &user).await,
            two.tokens(&world.client, &user).await,
        );
        let history = History::default();
        let (disables, ends) = (random.below(2) == 0, random.below(2) == 0);
        let [first, second, third, fourth] = [(); 4].map(|()| random.below(u64::MAX));
        tokio::join!(
            history.refresh_on(&world, &one, &tokens.refresh, first),
            history.refresh_on(
                &world,
                &two,
                if round % 3 == 0 {
                    &tokens.refresh
                } else {
                    &spare.refresh
                },
                second
            ),
            async {
                Random(third).pause().await;
                if disables {
                    world.disable_user(user.id).await;
                    *history.disabled_at.lock().unwrap() = Some(Instant::now());
                }
            },
            async {
                Random(fourth).pause().await;
                if ends && round % 3 == 0 {
                    // Both chains are one session here.
                    let answer = one.revoke(&world.client, &tokens.refresh).await;
                    assert_eq!(answer.status, 200);
                    *history.ended_at.lock().unwrap() = Some(Instant::now());
                }
            },
        );
        history.check();
        assert_one_live_successor(&world, &one, &user, &history, disables).await;
    }
}

/// Of all that was issued to a session, one refresh token is live at most; none for a disabled user.
async fn assert_one_live_successor(world: &World, replica: &Replica, user: &User, history: &History, disabled: bool) {
    let answers = history
        .answers
        .lock()
        .unwrap()
        .iter()
        .map(|(_, answer)| answer.clone())
        .collect::<Vec<_>>();
    let issued: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(Tokens::from)
        .collect();
    let mut live = std::collections::BTreeMap::<_, usize>::new();
    for tokens in &issued {
        let active = replica.is_active(&world.client, &tokens.refresh).await;
        *live.entry(tokens.session).or_default() += usize::from(active);
    }
    for (session, count) in live {
        assert!(
            count <= usize::from(!disabled),
            "{session} of {} has {count} live tokens",
            user.email
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cc_02_after_an_answered_end_no_token_lives() {
    let world = World::new().await;
    let (one, two) = (world.replica().await, world.replica().await);
    let mine = one.tokens(&world.client, &world.user).await;
    for round in 0..20 {
        let code = one.code(&world.client, &world.user).await;
        let session: uuid::Uuid = sqlx::query_scalar("SELECT id FROM session ORDER BY id DESC LIMIT 1")
            .fetch_one(world.owner())
            .await
            .unwrap();
        let exchange = async {
            Random(round).pause().await;
            two.exchange(&world.client, &code).await
        };
        let end = async {
            Random(round + 1_000).pause().await;
            one.end_session(&mine.access, session).await
        };
        let (exchanged, ended) = tokio::join!(exchange, end);
        assert_eq!(ended.status, 204);
        if exchanged.status == 200 {
            let tokens = Tokens::from(&exchanged);
            one.refresh(&world.client, &tokens.refresh)
                .await
                .refuses(400, "invalid_grant");
            one.userinfo(&tokens.access).await.challenges(401, "invalid_token");
            eventually(DEADLINE, || async { two.userinfo(&tokens.access).await.status == 401 }).await;
        } else {
            exchanged.refuses(400, "invalid_grant");
        }
    }
}
