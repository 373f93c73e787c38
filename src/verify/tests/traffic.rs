//! What shows that there is another consumer.

use super::fake::message;
use crate::verify::traffic::Traffic;
use crate::verify::{Depth, Message, Queue, Says};

const WINDOW: usize = 32;

fn shared() -> Traffic {
    Traffic::new(Queue::Shared)
}

fn peeked() -> Traffic {
    Traffic::new(Queue::Peeked { window: WINDOW })
}

fn of(id: &str, times: u64) -> Message {
    Message { ends: Some(100), ..message(id, times, Says::Other) }
}

#[test]
fn our_own_receives_are_no_evidence() {
    let mut traffic = shared();
    assert!(traffic.look(&[of("a", 5)], 1));
    assert!(!traffic.look(&[of("a", 6)], 2));
    assert_eq!(traffic.consumer, None);
    traffic.look(&[of("a", 8)], 3);
    assert!(traffic.consumer.is_some());
    assert_eq!(traffic.others, 1);
}

#[test]
fn a_queue_that_drains_or_holds_messages_has_a_consumer() {
    let depth = |waiting| Depth { waiting, held: 0 };
    let mut traffic = shared();
    traffic.sample(depth(3));
    traffic.sample(depth(4));
    assert_eq!(traffic.consumer, None);
    traffic.sample(depth(2));
    assert!(traffic.consumer.is_some());
    let mut traffic = peeked();
    traffic.sample(Depth { waiting: 3, held: 3 });
    assert!(traffic.consumer.is_some());
    let mut traffic = shared();
    traffic.look(&[of("a", 1)], 1);
    traffic.sample(Depth { waiting: 0, held: 1 });
    assert_eq!(traffic.consumer, None, "it may be the one that we received");
}

#[test]
fn a_queue_that_nobody_touches_shows_no_consumer() {
    let mut traffic = peeked();
    traffic.look(&[of("a", 0)], 1);
    traffic.look(&[of("a", 0), of("b", 0)], 2);
    traffic.sample(Depth { waiting: 2, held: 0 });
    assert_eq!((traffic.consumer, traffic.others, traffic.deeper_than()), (None, 2, None));
}

#[test]
fn what_leaves_before_its_end_or_comes_back_was_received() {
    let mut traffic = peeked();
    traffic.look(&[of("a", 0)], 1);
    traffic.look(&[], 101);
    assert_eq!(traffic.consumer, None, "it had come to its end");
    traffic.look(&[of("b", 0)], 2);
    traffic.look(&[], 3);
    assert!(traffic.consumer.is_some());
    let mut traffic = peeked();
    traffic.look(&[of("a", 1)], 1);
    traffic.look(&[of("a", 2)], 2);
    assert!(traffic.consumer.is_some());
}

#[test]
fn a_full_window_hides_what_is_behind() {
    let many: Vec<_> = (0..WINDOW).map(|n| of(&n.to_string(), 0)).collect();
    let mut traffic = peeked();
    assert_eq!(traffic.deeper_than(), None);
    traffic.look(&many, 1);
    assert_eq!(traffic.deeper_than(), Some(WINDOW));
    traffic.look(&many[1..], 2);
    assert_eq!(traffic.deeper_than(), None);
}
