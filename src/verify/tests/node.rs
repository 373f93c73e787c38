//! The calls of the server, on a cloud in memory.

use super::fake::{SHARED, message, run_as_node};
use crate::verify::{NodeCall, Says, Verdict};

const NAMES: [&str; 8] =
    ["identity", "presigned PUT", "presigned GET", "HEAD", "list", "multipart upload", "receive", "delete"];

#[tokio::test(start_paused = true)]
async fn each_call_of_the_server_is_a_check_and_others_messages_stay() {
    let ran = run_as_node::<SHARED>(|cloud| cloud.plant("theirs", Says::Other)).await;
    ran.outcome.as_ref().unwrap();
    assert!(
        ran.checks.iter().all(|(_, verdict)| matches!(verdict, Verdict::Passed { .. })),
        "{:?}",
        ran.checks
    );
    assert_eq!(ran.checks.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), NAMES);
    let cloud = ran.cloud();
    assert_eq!(cloud.removed, cloud.uploaded);
    assert_eq!(cloud.uploaded.len(), 2);
    assert!(cloud.deleted.iter().all(|handle| handle.starts_with("event")), "{:?}", cloud.deleted);
    assert!(cloud.queue.iter().any(|(_, left)| left.id == message("theirs", 0, Says::Other).id));
}

#[tokio::test(start_paused = true)]
async fn a_denied_call_names_what_the_credentials_lack_and_the_rest_goes_its_way() {
    use NodeCall::{Delete, Head, List, Multipart, PresignedGet};
    for denied in [PresignedGet, Head, List, Multipart, Delete] {
        let ran = run_as_node::<SHARED>(|cloud| cloud.denied = Some(denied)).await;
        ran.outcome.as_ref().unwrap();
        let failed: Vec<_> =
            ran.checks.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Passed { .. })).collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        ran.fails(denied.check(), "", &format!("allow {denied:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_upload_leaves_the_calls_that_need_none() {
    let ran = run_as_node::<SHARED>(|cloud| cloud.uploads = [(403, "")].into()).await;
    ran.fails("presigned PUT", "403", "allow PresignedPut");
    ran.is_open("presigned GET", "nothing was uploaded");
    ran.is_open("HEAD", "nothing was uploaded");
    ran.passes("list", "");
    ran.passes("multipart upload", "");
    ran.passes("receive", "arrived");
    ran.passes("delete", "");
}
