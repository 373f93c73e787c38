//! Google's emulator, where it is installed.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use wbstore_sandbox::gcp::pubsub_emulator::PubsubEmulator;

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_starts_answers_and_goes() {
    let archive = PubsubEmulator::found().expect("the Google Cloud SDK and Java are installed");
    let emulator = PubsubEmulator::start(&archive).await.expect("it starts");
    let address = emulator.url().trim_start_matches("http://").to_owned();
    let url = format!("{}/v1/projects/wandb-123456/topics/events", emulator.url());
    let answer = reqwest::Client::new().put(url).body("{}").send().await.expect("it answers");
    assert_eq!(answer.status().as_u16(), 200);
    drop(emulator);
    let end = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < end, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
