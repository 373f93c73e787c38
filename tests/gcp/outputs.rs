//! What the server is told.

use crate::support::{EVENTS, Ends, Site};

#[tokio::test]
async fn the_server_is_told_bucket_and_subscription() {
    let site = Site::open().await;
    let ran = site.provision(&[]).await.ends(0);
    let outputs = ran.outputs();
    assert_eq!(outputs["BUCKET"], format!("gs://{}", site.bucket));
    assert_eq!(outputs["BUCKET_QUEUE"], format!("pubsub:/{}/{EVENTS}/{EVENTS}", site.gcp.project()));
    assert_eq!(outputs.len(), 2, "nothing else is needed");
    let again = site.run("config", &[]).await.ends(0);
    assert_eq!(again.stdout, ran.stdout);
}
