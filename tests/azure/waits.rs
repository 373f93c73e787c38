//! What Azure asks to be waited where the laws do not look: see `tests/conformance/waits.rs`.

use wbstore_sandbox::fault::{Failure, Fault, When};

use crate::support::Site;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_token_is_waited_for_like_anything_else() {
    let site = Site::open().await;
    site.azure.proxy().arm(When::operation("token.POST", 0), Fault::fail(Failure::TooManyRequests(1)));
    site.run("list", &[]).await.ends(0).tells(&["retrying in 1s: "]);
}
