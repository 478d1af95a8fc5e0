//! A client of many connections, each kept alive and with a session of its own.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::candidate::{FILL, Route};
use crate::in_process::pairs;
use crate::process::Result;

/// The number of requests that are under way at a time.
const CONNECTIONS: usize = 32;

/// A connection, and what its client sends with every request.
pub struct Client {
    stream: TcpStream,
    port: u16,
    cookies: String,
    received: Vec<u8>,
}

impl Client {
    /// Connects, and begins a session.
    pub async fn connect(port: u16) -> Result<Self> {
        let mut client = Self::new(port).await?;
        client.begin().await?;
        Ok(client)
    }

    /// Connects without a session.
    pub async fn new(port: u16) -> Result<Self> {
        Self::with_cookies(port, String::new()).await
    }

    /// Connects once more, with the same session.
    pub async fn again(&self, port: u16) -> Result<Self> {
        Self::with_cookies(port, self.cookies.clone()).await
    }

    async fn with_cookies(port: u16, cookies: String) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(Self { stream, port, cookies, received: Vec::with_capacity(4096) })
    }

    /// Forgets the session and begins another.
    pub async fn begin(&mut self) -> Result {
        self.cookies.clear();
        let request = self.request(FILL);
        let set = self.call(&request).await?;
        self.cookies = pairs(&set);
        Ok(())
    }

    /// The bytes of a request.
    pub fn request(&self, path: &str) -> Vec<u8> {
        let cookies = if self.cookies.is_empty() { String::new() } else { format!("cookie: {}\r\n", self.cookies) };
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: */*\r\n{cookies}\r\n", self.port).into_bytes()
    }

    /// Sends a request, awaits its answer, and returns the values of `Set-Cookie`.
    pub async fn call(&mut self, request: &[u8]) -> Result<Vec<String>> {
        let failed = |error: std::io::Error| format!("the server on port {} left: {error}", self.port);
        self.stream.write_all(request).await.map_err(failed)?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await.map_err(failed)? == 0 {
                return Err(format!("the server on port {} closed the connection", self.port));
            }
            if let Some(set) = complete(&self.received)? {
                return Ok(set);
            }
        }
    }
}

/// The values of `Set-Cookie` of an answer that has arrived whole.
fn complete(received: &[u8]) -> Result<Option<Vec<String>>> {
    let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end]).map_err(|error| error.to_string())?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("not an answer to be measured: {head}"));
    }
    let (mut length, mut set) = (0, Vec::new());
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| format!("a strange length: {value}"))?;
        } else if name.eq_ignore_ascii_case("set-cookie") {
            set.push(value.to_owned());
        }
    }
    Ok((received.len() >= end + 4 + length).then_some(set))
}

/// All connections to one server.
pub struct Load {
    clients: Vec<Client>,
}

impl Load {
    pub async fn connect(port: u16) -> Result<Self> {
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            clients.push(Client::connect(port).await?);
        }
        Ok(Self { clients })
    }

    /// Makes requests on all connections for so long; returns how many a second were answered.
    pub async fn run(&mut self, route: Route, duration: Duration) -> Result<(u64, f64)> {
        let start = Instant::now();
        let work = async |mut client: Client| {
            let request = client.request(route.path());
            let mut answered = 0_u64;
            while start.elapsed() < duration {
                client.call(&request).await?;
                answered += 1;
            }
            Ok::<_, String>((client, answered))
        };
        let answered = self.all(work).await?;
        Ok((answered, answered as f64 / start.elapsed().as_secs_f64()))
    }

    /// Begins this many sessions, which stay.
    pub async fn begin(&mut self, sessions: usize) -> Result<u64> {
        let each = sessions.div_ceil(CONNECTIONS);
        let work = async |mut client: Client| {
            for _ in 0..each {
                client.begin().await?;
            }
            Ok::<_, String>((client, each as u64))
        };
        self.all(work).await
    }

    async fn all<F>(&mut self, work: impl Fn(Client) -> F) -> Result<u64>
    where
        F: Future<Output = Result<(Client, u64)>>,
    {
        let working = self.clients.drain(..).map(&work).collect::<Vec<_>>();
        let mut answered = 0;
        for done in futures_util::future::join_all(working).await {
            let (client, count) = done?;
            self.clients.push(client);
            answered += count;
        }
        Ok(answered)
    }
}
