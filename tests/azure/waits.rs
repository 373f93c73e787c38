//! What Azure asks to be waited where the laws do not look: see `tests/conformance/waits.rs`.

use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::Site;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_token_is_waited_for_like_anything_else() {
    let site = Site::open().await;
    let three = || When::operation("token.POST", 0).times(3);
    site.azure.proxy().arm(three(), Fault::fail(Failure::TooManyRequests(1)));
    site.run("list", &[]).await.ends(0).tells(&["retrying in 1s: "]);
    site.azure.proxy().arm(three(), Fault::fail(Failure::OperationAborted));
    site.run("list", &[]).await.ends(0);
}
