//! The front door of the doubles.

use tokio::net::{TcpListener, TcpStream};

/// Listens on a free port, which it returns, and serves each connection by `serve`; stops with the runtime.
///
/// # Panics
/// When there is no free port.
pub(crate) async fn listen<S>(serve: impl Fn(TcpStream) -> S + Send + 'static) -> u16
where
    S: Future<Output: Send> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    port
}
