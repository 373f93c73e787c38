use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::fake::{Cloud, Fake, delete, objects};
use crate::empty::is_emptying;
use crate::error::Kind;
use crate::provider::EmptyBy;
use crate::resource::{Deleted, Resource};

fn with(rules: &[(&'static str, u8)]) -> Cloud {
    Cloud { rules: Mutex::new(rules.to_vec()), ..Cloud::with(["k".to_owned()]) }
}

#[tokio::test(start_paused = true)]
async fn rules_of_others_stay_where_they_are() {
    let cloud = Arc::new(with(&[("logs", 9), ("ours", 7)]));
    let pending = Deleted::Pending { how: "Fake deletes everything by itself", until: Timestamp::UNIX_EPOCH };
    for _ in 0..2 {
        assert_eq!(delete::<1>(&cloud, EmptyBy::Lifecycle).await.0.unwrap(), pending);
        assert_eq!(*cloud.rules.lock().unwrap(), [("logs", 9), ("ours", 1), ("markers", 1)]);
    }
    assert_eq!(cloud.calls.load(Ordering::Relaxed), 1, "what is there is not written again");
    assert_eq!(cloud.left(), 1);
    assert!(is_emptying::<Fake<1>>(&[("logs", 9), ("markers", 7)], "acme").unwrap());
    assert!(!is_emptying::<Fake<1>>(&[("logs", 9)], "acme").unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_document_without_room_is_refused() {
    let cloud = Arc::new(with(&[("a", 1), ("b", 1)]));
    let error = delete::<1>(&cloud, EmptyBy::Lifecycle).await.0.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("no room for 2 more lifecycle rules (at most 3)"), "{error}");
    assert_eq!(cloud.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn rules_that_do_not_read_back_are_not_there_yet() {
    let cloud = Arc::new(Cloud { forgets: true, ..with(&[]) });
    let error = delete::<1>(&cloud, EmptyBy::Lifecycle).await.0.unwrap_err();
    assert_eq!(error.kind(), Kind::NotYet);
}

#[tokio::test(start_paused = true)]
async fn the_plan_says_how_long_it_takes_and_what_it_costs() {
    let seen = objects::<1>(true, EmptyBy::Lifecycle).read(&Arc::new(with(&[]))).await.unwrap();
    let finding = &seen.remarks().findings[0];
    assert!(finding.contains("Fake will delete everything by lifecycle rules"), "{finding}");
    assert!(finding.contains("takes a day or more"), "{finding}");
}
