//! A proxy (`HTTPS_PROXY`) that leads every host to one port: a name that belongs to somebody else, such as that
//! of an identity provider, is served here.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::listen::listen;

/// Starts one that leads to `port`, and returns its URL; it stops with the runtime.
///
/// # Panics
/// When there is no free port.
pub async fn to(port: u16) -> String {
    format!("http://127.0.0.1:{}", listen(move |stream| connect(stream, port)).await)
}

async fn connect(stream: TcpStream, port: u16) -> Option<()> {
    let mut client = BufReader::new(stream);
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.ok()?;
        if line.trim_end().is_empty() {
            break;
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}
