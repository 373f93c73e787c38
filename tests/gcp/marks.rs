//! What the marks say of a deployment whose names the command line leaves open.

use crate::support::Site;

#[tokio::test]
async fn names_that_were_chosen_are_found_again() {
    let site = Site::open().await;
    let names = ["--topic", "uploads", "--subscription", "uploads-server"];
    let provisioned = site.provision(&names).await.ends(0);
    let config = site.run("config", &[]).await.ends(0);
    assert_eq!(config.outputs(), provisioned.outputs());
    config.tells(&["`--topic uploads` by its marks", "`--subscription uploads-server` by its marks"]);
    let verified = site.run("verify", &["--format", "json"]).await.ends(0);
    assert_eq!(verified.check("drift")["verdict"], "passed");
    let ran = site.run("config", &["--topic", "others"]).await.ends(1);
    ran.tells(&["`--topic others` contradicts the marks", "`--topic uploads`"]);
}
