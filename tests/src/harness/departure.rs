//! A client that leaves before it is answered.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request that was sent and not answered yet.
///
/// Its client leaves as one does that closes the connection: the server reads the end of what the client sends. This
/// side stays open, to see when the server has hung up.
#[derive(Debug)]
pub struct OpenRequest {
    stream: TcpStream,
}

impl OpenRequest {
    pub(super) async fn send(address: std::net::SocketAddr, path: &str, cookies: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the server listens");
        let cookies = if cookies.is_empty() { String::new() } else { format!("cookie: {cookies}\r\n") };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{cookies}\r\n");
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        Self { stream }
    }

    /// The client leaves. Where the server drops handlers of clients that have left, waits until it has.
    pub async fn leave(&mut self, server_drops_handlers: bool) {
        self.stream.shutdown().await.expect("the connection is open");
        if server_drops_handlers {
            assert_eq!(self.rest().await, "", "nothing is answered to a client that has left");
        }
    }

    /// Waits until the server has hung up, and returns what it said before.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        // A connection that is reset has ended too.
        let _ = self.stream.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }
}
