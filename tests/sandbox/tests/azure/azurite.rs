//! Azurite comes and goes.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use wbstore_sandbox::azure::azurite::Azurite;
use wbstore_sandbox::azure::double::{AzureDouble, Options};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_gone_with_its_handle() {
    let azurite = Azurite::start().await.expect("it can be installed and started");
    AzureDouble::start(azurite.url(), Options::default()).await.expect("it answers");
    let address = azurite.url().trim_start_matches("http://").to_owned();
    drop(azurite);
    let started = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60), "{address} still answers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
