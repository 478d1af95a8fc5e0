//! Requests byte for byte, for what a client library refuses to send.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answer, Visitor};

impl Visitor {
    /// Asks for a path with these `Cookie` lines in place of the jar's, as they are. A line that is not HTTP is answered
    /// with 400, or not at all: then the status is 0.
    pub async fn get_with_cookies(&self, path: &str, lines: &[&[u8]]) -> Answer {
        let mut request =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address).into_bytes();
        for line in lines {
            request.extend([b"cookie: ", *line, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        let mut stream = TcpStream::connect(self.address).await.expect("the server listens");
        let mut answer = Vec::new();
        // A server that refuses the request may close the connection while it is being sent.
        let _ = stream.write_all(&request).await;
        let _ = stream.read_to_end(&mut answer).await;
        parse(&answer).unwrap_or(Answer { status: 0, body: String::new(), headers: HeaderMap::new() })
    }
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = (std::str::from_utf8(&answer[..end]).ok()?, &answer[end + 4..]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    // More may follow: the answer to what a hostile line break made another request.
    let body = &rest[..rest.len().min(length.unwrap_or(usize::MAX))];
    Some(Answer { status, body: String::from_utf8_lossy(body).into_owned(), headers })
}
