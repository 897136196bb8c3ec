//! The batcher without a database: a worker that answers what it is asked, behind a gate.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use futures::{FutureExt as _, future::join_all, poll};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{
    queue::{Next, Queue},
    *,
};

const DEADLINE: Duration = Duration::from_secs(5);
const MS: Duration = Duration::from_millis(1);

/// What is asked of [`Echo`], and how it goes.
#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Fine(u32),
    /// Of one key.
    Keyed(u128, u32),
    PassedOver,
    /// Fails so many runs, as open ones.
    Open(AtomicRuns),
    /// Fails every run for good.
    Bad,
    Panic,
}

/// Counts down; never equal, so that items are told apart by their address.
#[derive(Debug)]
struct AtomicRuns(AtomicUsize);

impl PartialEq for AtomicRuns {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}
impl Eq for AtomicRuns {}

/// A worker that answers with what it was asked.
struct Echo {
    /// One permit lets one run through.
    gate: Arc<Semaphore>,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    batches: Mutex<Vec<Vec<u32>>>,
    keys: Mutex<HashSet<u128>>,
    hired: AtomicUsize,
}

impl Kind for Echo {
    type Worker = ();
    type Item = Ask;
    type Answer = u32;
    type Error = &'static str;

    const NAME: &'static str = "echo";

    fn key(item: &Ask) -> Option<Uuid> {
        match item {
            Ask::Keyed(key, _) => Some(Uuid::from_u128(*key)),
            _ => None,
        }
    }

    async fn run(&self, (): &mut (), items: &[Arc<Ask>]) -> Result<Vec<Option<u32>>, &'static str> {
        let keys: Vec<_> = items
            .iter()
            .filter_map(|item| Self::key(item))
            .map(|key| key.as_u128())
            .collect();
        for key in &keys {
            assert!(
                self.log.keys.lock().unwrap().insert(*key),
                "two of one key are under way"
            );
        }
        self.gate.acquire().await.unwrap().forget();
        for key in &keys {
            self.log.keys.lock().unwrap().remove(key);
        }
        let mut numbers = Vec::new();
        for item in items {
            numbers.push(match &**item {
                Ask::Fine(number) | Ask::Keyed(_, number) => Some(*number),
                Ask::PassedOver => None,
                Ask::Open(runs) if runs.0.load(Ordering::SeqCst) == 0 => Some(0),
                Ask::Open(runs) => {
                    runs.0.fetch_sub(1, Ordering::SeqCst);
                    return Err("open");
                }
                Ask::Bad => return Err("bad"),
                Ask::Panic => panic!("the worker panics"),
            });
        }
        let told = numbers.iter().flatten().copied().collect();
        self.log.batches.lock().unwrap().push(told);
        Ok(numbers)
    }

    fn may_run_again(error: &&'static str) -> bool {
        *error == "open"
    }
}

struct World {
    lane: Lane<Echo>,
    other: Lane<Echo>,
    gate: Arc<Semaphore>,
    log: Arc<Log>,
}

/// Two lanes, `workers` for both, and a gate that lets `permits` runs through.
fn world(workers: usize, permits: usize) -> World {
    let (gate, log) = (Arc::new(Semaphore::new(permits)), Arc::<Log>::default());
    let hires = Arc::clone(&log);
    let crew = Crew::new(workers, move || {
        hires.hired.fetch_add(1, Ordering::SeqCst);
    });
    let observer: BatchObserver = Arc::new(|_, waits| assert!((1..=MAX_BATCH).contains(&waits.len())));
    let lane = || {
        let kind = Echo {
            gate: Arc::clone(&gate),
            log: Arc::clone(&log),
        };
        Lane::new(kind, &crew, &observer)
    };
    World {
        lane: lane(),
        other: lane(),
        gate,
        log,
    }
}

impl World {
    fn batches(&self) -> Vec<Vec<u32>> {
        self.log.batches.lock().unwrap().clone()
    }

    /// Lets everything through from now on.
    fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

async fn ask(lane: &Lane<Echo>, ask: Ask) -> Reply<Echo> {
    timeout(DEADLINE, lane.submit(Arc::new(ask))).await.unwrap()
}

/// Begins without waiting for the end.
macro_rules! begin {
    ($future:expr) => {{
        let mut future = Box::pin($future);
        assert_eq!(poll!(&mut future), Poll::Pending);
        future
    }};
}

#[tokio::test]
async fn item_that_comes_alone_goes_at_once() {
    let world = world(4, 1);
    assert_eq!(ask(&world.lane, Ask::Fine(7)).await, Ok(Some(7)));
    assert_eq!(world.batches(), [[7]]);
}

#[tokio::test]
async fn items_that_come_during_a_flight_leave_together() {
    let world = world(1, 0);
    let first = begin!(ask(&world.lane, Ask::Fine(0)));
    tokio::task::yield_now().await; // it has left
    let later: Vec<_> = (1..=10)
        .map(|number| Box::pin(ask(&world.lane, Ask::Fine(number))))
        .collect();
    let all = join_all(later);
    let all = begin!(all);
    world.open();
    assert_eq!(first.await, Ok(Some(0)));
    assert!(all.await.into_iter().all(|reply| reply.is_ok()));
    assert_eq!(world.batches(), [vec![0], (1..=10).collect()]);
}

#[tokio::test]
async fn batch_is_no_larger_than_it_may_be_and_keeps_the_order() {
    let world = world(2, usize::MAX >> 4);
    let replies = join_all((0..500).map(|number| ask(&world.lane, Ask::Fine(number)))).await;
    assert_eq!(replies, (0..500).map(|number| Ok(Some(number))).collect::<Vec<_>>());
    let batches = world.batches();
    assert!(
        batches
            .iter()
            .all(|batch| batch.len() <= MAX_BATCH && batch.is_sorted())
    );
    assert!(batches.len() <= 500 / MAX_BATCH + 3, "{batches:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_one_key_are_never_under_way_together() {
    let world = world(4, usize::MAX >> 4);
    let asks = (0..400).map(|number| ask(&world.lane, Ask::Keyed(u128::from(number % 7), number)));
    // The worker itself asserts it.
    assert!(join_all(asks).await.into_iter().all(|reply| reply.is_ok()));
    let order: Vec<_> = world
        .batches()
        .into_iter()
        .flatten()
        .filter(|number| number % 7 == 3)
        .collect();
    assert!(order.len() == 57 && order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn full_queue_refuses() {
    let world = world(1, 0);
    let first = begin!(ask(&world.lane, Ask::Fine(0)));
    tokio::task::yield_now().await;
    let waiting = begin!(join_all((0..MAX_WAITING).map(|_| ask(&world.lane, Ask::Fine(1)))));
    assert_eq!(ask(&world.lane, Ask::Fine(2)).now_or_never(), Some(Err(Refused::Full)));
    world.open();
    assert_eq!(first.await, Ok(Some(0)));
    assert!(waiting.await.into_iter().all(|reply| reply == Ok(Some(1))));
    assert_eq!(ask(&world.lane, Ask::Fine(3)).await, Ok(Some(3)));
}

#[tokio::test]
async fn item_outlives_whoever_asked() {
    let world = world(1, 0);
    let first = begin!(ask(&world.lane, Ask::Fine(0)));
    let second = begin!(ask(&world.lane, Ask::Keyed(1, 1)));
    drop((first, second));
    world.open();
    assert_eq!(ask(&world.lane, Ask::Keyed(1, 2)).await, Ok(Some(2)));
    assert_eq!(world.batches().concat(), [0, 1, 2]);
}

#[tokio::test]
async fn panic_ends_its_batch_and_nothing_else() {
    let world = world(1, usize::MAX >> 4);
    for _ in 0..3 {
        assert_eq!(ask(&world.lane, Ask::Panic).await, Err(Refused::Lost));
        assert_eq!(ask(&world.lane, Ask::Fine(1)).await, Ok(Some(1)));
    }
    assert_eq!(world.log.hired.load(Ordering::SeqCst), 4, "who panicked works no more");
}

#[tokio::test]
async fn bad_item_does_not_fail_its_neighbours() {
    let world = world(1, 0);
    let first = begin!(ask(&world.lane, Ask::Fine(0)));
    tokio::task::yield_now().await;
    let asks = [
        Ask::Fine(1),
        Ask::Bad,
        Ask::PassedOver,
        Ask::Open(AtomicRuns(AtomicUsize::new(1))),
        Ask::Open(AtomicRuns(AtomicUsize::new(5))),
        Ask::Fine(2),
    ];
    let batch = begin!(join_all(asks.into_iter().map(|item| ask(&world.lane, item))));
    world.open();
    first.await.unwrap();
    let expected = [
        Ok(Some(1)),
        Err(Refused::Failed("bad")),
        Ok(None),
        Ok(Some(0)),
        Err(Refused::Failed("open")),
        Ok(Some(2)),
    ];
    assert_eq!(batch.await, expected);
}

#[tokio::test]
async fn open_outcome_is_run_again_so_often_and_no_more() {
    let world = world(1, usize::MAX >> 4);
    for (failures, reply) in [(2, Ok(Some(0))), (3, Err(Refused::Failed("open")))] {
        let item = Ask::Open(AtomicRuns(AtomicUsize::new(failures)));
        assert_eq!(ask(&world.lane, item).await, reply, "{failures}");
    }
}

#[tokio::test]
async fn free_worker_goes_to_the_kind_that_was_due_first() {
    let world = world(1, 0);
    let first = begin!(ask(&world.lane, Ask::Fine(0)));
    tokio::task::yield_now().await;
    let other = begin!(ask(&world.other, Ask::Fine(1)));
    tokio::task::yield_now().await;
    // A kind that never runs dry does not keep the worker.
    let crowd = begin!(join_all((0..100).map(|_| ask(&world.lane, Ask::Fine(2)))));
    world.open();
    first.await.unwrap();
    other.await.unwrap();
    assert!(crowd.await.into_iter().all(|reply| reply.is_ok()));
    assert_eq!(world.batches()[..2], [[0], [1]]);
}

#[test]
fn further_worker_starts_when_enough_wait_or_the_head_has_waited_long() {
    let now = Instant::now();
    let mut queue = Queue::new();
    assert!(queue.push(0, None, now));
    assert_eq!(queue.next(now), Next::Board);
    assert_eq!(queue.next(now), Next::Nothing, "its worker is on the way");
    assert_eq!(queue.board(now).batch.len(), 1);
    for number in 1..FURTHER_WORKER_WAITING {
        queue.push(number, None, now + MS);
        let expected = if number == 1 {
            Next::Watch(now + MS + FURTHER_WORKER_AFTER)
        } else {
            Next::Nothing
        };
        assert_eq!(queue.next(now + MS), expected, "{number}");
    }
    queue.push(16, None, now + MS);
    assert_eq!(queue.next(now + MS), Next::Board);
    assert_eq!(queue.board(now + MS).batch.len(), FURTHER_WORKER_WAITING);
    queue.push(17, None, now + 2 * MS);
    assert_eq!(
        queue.look(now + MS + FURTHER_WORKER_AFTER),
        Next::Watch(now + 2 * MS + FURTHER_WORKER_AFTER)
    );
    assert_eq!(queue.look(now + 2 * MS + FURTHER_WORKER_AFTER), Next::Board);
}

#[test]
fn one_key_does_not_fill_the_queue() {
    let now = Instant::now();
    let (mut queue, key) = (Queue::new(), Some(Uuid::from_u128(1)));
    for number in 0..=MAX_BEHIND {
        assert!(queue.push(number, key, now), "{number}");
    }
    assert!(!queue.push(0, key, now));
    assert!(queue.push(0, Some(Uuid::from_u128(2)), now) && queue.push(0, None, now));
    assert_eq!(queue.board(now).batch.len(), 3);
    queue.land(&[key], now);
    assert_eq!(queue.board(now).batch.len(), 1);
    assert!(queue.push(0, key, now));
}

#[test]
fn what_waited_too_long_is_not_begun_and_holds_back_nobody() {
    let now = Instant::now();
    let mut queue = Queue::new();
    let key = Some(Uuid::from_u128(1));
    queue.push("old", key, now);
    queue.push("young", key, now + MAX_AGE);
    let boarded = queue.board(now + MAX_AGE);
    let names = |entries: &[queue::Entry<&'static str>]| entries.iter().map(|entry| entry.work).collect::<Vec<_>>();
    assert_eq!(
        (names(&boarded.late), names(&boarded.batch)),
        (vec!["old"], vec!["young"])
    );
    assert_eq!(queue.board(now).batch.len(), 0);
}
