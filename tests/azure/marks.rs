//! What the marks say of a deployment whose names the command line leaves open.

use crate::support::Site;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn names_that_were_chosen_are_found_again() {
    let site = Site::open().await;
    let provisioned =
        site.provision(&["--container", "files", "--queue", "uploads", "--dead-letter"]).await.ends(0);
    let config = site.run("config", &[]).await.ends(0);
    assert_eq!(config.outputs(), provisioned.outputs());
    config.tells(&[
        "`--container files` by its marks",
        "`--queue uploads` by its marks",
        "`--dead-letter` by its marks",
    ]);
    let verified = site.run("verify", &["--format", "json"]).await.ends(0);
    assert_eq!(verified.check("drift")["verdict"], "passed");
    let ran = site.run("config", &["--container", "others"]).await.ends(1);
    ran.tells(&["`--container others` contradicts the marks", "`--container files`"]);
}
