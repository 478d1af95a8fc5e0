//! The client's end of a websocket.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Visitor;

/// A websocket that a visitor has opened.
#[derive(Debug)]
pub struct WebSocket(WebSocketStream<TcpStream>);

impl Visitor {
    /// Opens a websocket with the jar's cookies, and keeps the cookies of the answer.
    ///
    /// # Errors
    /// Fails with the status of the answer if the request is not upgraded.
    pub async fn open(&self, path: &str) -> Result<WebSocket, u16> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().expect("the address is valid");
        if let Ok(cookies) = self.cookie_header().parse() {
            request.headers_mut().insert("cookie", cookies);
        }
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        let (socket, response) = match tokio_tungstenite::client_async(request, stream).await {
            Ok(opened) => opened,
            Err(Error::Http(response)) => return Err(response.status().as_u16()),
            Err(error) => panic!("the server answers: {error}"),
        };
        for cookie in response.headers().get_all("set-cookie") {
            self.keep(cookie.to_str().expect("headers are text"));
        }
        Ok(WebSocket(socket))
    }
}

impl WebSocket {
    /// Sends a text, and waits for the answer; `None` when the server hangs up.
    pub async fn ask(&mut self, text: &str) -> Option<String> {
        self.0.send(Message::Text(text.into())).await.ok()?;
        self.hear().await
    }

    /// Waits for what the server says; `None` when it hangs up.
    pub async fn hear(&mut self) -> Option<String> {
        match self.0.next().await? {
            Ok(Message::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }
}
