//! Lanes that stop, and lanes that go on.

use audit_consumer::{lane::StopReason, partition::Next};
use credo_ids::{EventId, TenantId};

use crate::support::{Fixture, Story, Trail, batch, ids, tenant_in_shard};

#[tokio::test]
async fn a_gap_stops_its_shard_alone_and_heals_when_the_missing_record_comes() {
    let fixture = Fixture::new().await;
    let mut trail = Trail::default();
    let (gapped, whole) = (Story::of(tenant_in_shard(1)), Story::of(tenant_in_shard(2)));
    let one = trail.many(gapped, 6);
    let two = trail.many(whole, 4);
    let log = [&one[0], &two[0], &one[2], &two[1], &one[3], &two[2]];
    let mut partition = fixture.partition().await;
    assert_eq!(
        fixture.take_in(&mut partition, batch(0, log)).await.unwrap(),
        Next::GoOn
    );
    assert_eq!(fixture.stored_ids().await, [ids(&one, 0..1), ids(&two, 0..3)].concat());
    assert_eq!(partition.lanes().position(), 2, "the first record that is not stored");
    assert_eq!(fixture.position().await, 2);
    let (shard, lane) = partition.lanes().stopped().next().unwrap();
    assert_eq!((shard.get(), lane.head.head.next_seq), (1, 2));
    assert_eq!(
        lane.stop.map(|stop| (stop.reason, stop.highest_seq)),
        Some((StopReason::Gap, 4))
    );
    assert_eq!(fixture.metrics.gaps.get(), 1);

    // The relay sends what was lost, and goes on.
    let more = [&one[1], &one[4], &two[3]];
    assert_eq!(
        fixture.take_in(&mut partition, batch(6, more)).await.unwrap(),
        Next::Reread
    );
    assert_eq!(fixture.position().await, 2, "what was skipped must be read again");
    let rest = [log[2], log[3], log[4], log[5], more[0], more[1], more[2]];
    assert_eq!(fixture.take_in_fresh(batch(2, rest)).await, Next::GoOn);
    assert_eq!(fixture.stored_ids().await, [ids(&one, 0..5), ids(&two, 0..4)].concat());
    assert_eq!(fixture.position().await, 9);
}

#[tokio::test]
async fn a_record_that_is_not_what_the_relay_sent_stops_its_shard_until_the_true_one_comes() {
    let fixture = Fixture::new().await;
    let sent = Trail::default().many(Story::of(TenantId::now_v7()), 3);
    let mut damaged = sent[1].clone();
    damaged.value[20] ^= 1;
    let mut partition = fixture.partition().await;
    let log = [&sent[0], &damaged, &sent[2]];
    fixture.take_in(&mut partition, batch(0, log)).await.unwrap();
    assert_eq!(fixture.stored_ids().await, ids(&sent, 0..1));
    assert_eq!((fixture.metrics.broken.get(), fixture.position().await), (1, 1));
    assert_eq!(
        fixture.take_in(&mut partition, batch(3, [&sent[1]])).await.unwrap(),
        Next::Reread
    );
    fixture.take_in_fresh(batch(1, [&damaged, &sent[2], &sent[1]])).await;
    assert_eq!(fixture.stored_ids().await, ids(&sent, 0..3));
    assert_eq!(fixture.position().await, 4);
    assert_eq!((fixture.metrics.damaged.get(), fixture.metrics.forks.get()), (1, 0));
}

#[tokio::test]
async fn a_fork_stops_its_shard_for_good_and_the_others_go_on() {
    let fixture = Fixture::new().await;
    let mut trail = Trail::default();
    let (forked, whole) = (Story::of(tenant_in_shard(1)), Story::of(tenant_in_shard(2)));
    let one = trail.many(forked, 4);
    let two = trail.many(whole, 2);
    let mut fork = one[0].clone();
    fork.headers.event_id = EventId::now_v7();
    let log = [&one[0], &one[1], &fork, &one[2], &two[0]];
    let mut partition = fixture.partition().await;
    fixture.take_in(&mut partition, batch(0, log)).await.unwrap();
    fixture
        .take_in(&mut partition, batch(5, [&one[3], &two[1]]))
        .await
        .unwrap();
    let expected = [ids(&one, 0..2), ids(&two, 0..2)].concat();
    assert_eq!(fixture.stored_ids().await, expected);
    assert_eq!((fixture.metrics.forks.get(), fixture.position().await), (1, 2));
    // A restart finds the fork again.
    fixture
        .take_in_fresh(batch(2, [&fork, &one[2], &two[0], &one[3], &two[1]]))
        .await;
    assert_eq!((fixture.stored_ids().await, fixture.position().await), (expected, 2));
}

#[tokio::test]
async fn the_same_event_with_another_content_is_a_fork() {
    let fixture = Fixture::new().await;
    let (mut trail, story) = (Trail::default(), Story::of(TenantId::now_v7()));
    let first = trail.next(story);
    let mut value = first.value.clone();
    value[20] ^= 1;
    let other = trail.number(story, first.headers.event_id, value);
    fixture.take_in_fresh(batch(0, [&first, &other])).await;
    assert_eq!(fixture.stored_ids().await, [first.event_id()]);
    assert_eq!((fixture.metrics.forks.get(), fixture.position().await), (1, 1));
}
