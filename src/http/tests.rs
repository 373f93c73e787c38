use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server that gives the same answer to every call; the number of calls is what it returns.
async fn server(answers: Vec<&'static str>) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut calls = 0;
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            calls += 1;
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        calls
    });
    (url, served)
}

#[test]
fn only_what_is_known_to_be_harmless_is_shown_of_a_query() {
    let url = "https://user:pass@b.s3.amazonaws.com/k%20ey?versionId=7&X-Amz-Signature=secret&sig=secret#f";
    assert_eq!(redact(&Url::parse(url).unwrap()), "https://b.s3.amazonaws.com/k%20ey?versionId=7&…");
    let url = "https://b.example/?X-Amz-Credential=secret";
    assert_eq!(redact(&Url::parse(url).unwrap()), "https://b.example/?…");
}

#[tokio::test]
async fn redirects_are_answers() {
    let (url, _) =
        server(vec!["HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"]).await;
    let answer = Client::new().unwrap().send(&Request::new(Method::GET, &url).unwrap()).await.unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_broken_answer_is_asked_for_again_unless_asking_twice_is_doing_twice() {
    const BROKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nab";
    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: a, b\r\nVary: c\r\n\r\nok";
    let client = Client::new().unwrap();
    let (url, served) = server(vec![BROKEN, WHOLE]).await;
    let answer = client.send(&Request::new(Method::GET, &url).unwrap()).await.unwrap();
    assert_eq!((answer.body.as_slice(), served.await.unwrap()), (b"ok".as_slice(), 2));
    assert_eq!(answer.list("vary").collect::<Vec<_>>(), ["a", "b", "c"]);
    let (url, _) = server(vec![BROKEN]).await;
    let error = client.send(&Request::new(Method::POST, &url).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transient);
}

#[tokio::test]
async fn a_pinned_client_stays_at_home() {
    let home = Url::parse("https://storage.googleapis.com").unwrap();
    let client = Client::pinned(home).unwrap();
    let request = Request::new(Method::GET, "https://storage.example/?t=secret").unwrap();
    let error = client.send(&request).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(!error.chain().contains("secret"));
}

/// A server that accepts connections and never answers.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = vec![];
        while let Ok((socket, _)) = listener.accept().await {
            kept.push(socket);
        }
    });
    url
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answered_is_reported_within_its_time() {
    let (client, url) = (Client::new().unwrap(), silent().await);
    let begun = tokio::time::Instant::now();
    let error = client.send(&Request::new(Method::GET, &url).unwrap()).await.unwrap_err();
    assert!(error.chain().contains("no response within 15 s"), "{}", error.chain());
    assert!(begun.elapsed() <= FIRST_BYTE_WITHIN + Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_endless_answer_ends_at_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    });
    let client = Client::new().unwrap();
    let error = client.send(&Request::new(Method::GET, &url).unwrap()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.chain().contains("larger than")),
        (Kind::Failed, true),
        "{}",
        error.chain()
    );
}
