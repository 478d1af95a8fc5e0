//! Servers in memory, so that tests can move the clock.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use ::redis::{Value, parse_redis_value_async};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// An address, behind which a server stands, or none does.
#[derive(Clone, Default)]
pub(super) struct Network(Arc<Mutex<Route>>);

#[derive(Default)]
struct Route {
    server: Option<FakeServer>,
    attempts: Vec<Instant>,
}

impl Network {
    pub(super) fn to(server: &FakeServer) -> Self {
        let network = Self::default();
        network.lead_to(Some(server));
        network
    }

    /// Lets new connections lead to another server, or be refused. Those that are open stay.
    pub(super) fn lead_to(&self, server: Option<&FakeServer>) {
        self.0.lock().unwrap().server = server.cloned();
    }

    /// The time at which somebody tried to connect.
    pub(super) fn attempts(&self) -> Vec<Instant> {
        self.0.lock().unwrap().attempts.clone()
    }

    pub(super) fn connect(&self) -> io::Result<DuplexStream> {
        let mut route = self.0.lock().unwrap();
        route.attempts.push(Instant::now());
        let server = route.server.clone().ok_or(io::ErrorKind::ConnectionRefused)?;
        let (ours, theirs) = duplex(64 * 1024);
        let connection = tokio::spawn(server.clone().serve(theirs)).abort_handle();
        server.0.lock().unwrap().connections.push(connection);
        Ok(ours)
    }
}

/// A server that answers each command as it is told to, by the command's first word.
#[derive(Clone)]
pub(super) struct FakeServer(Arc<Mutex<Manner>>);

struct Manner {
    /// The answers that it sends; a command without one hangs its connection.
    answers: HashMap<&'static str, String>,
    heard: Vec<String>,
    connections: Vec<AbortHandle>,
}

impl FakeServer {
    /// A master that answers `GET` with its name.
    pub(super) fn master(name: &str) -> Self {
        let server =
            Self(Arc::new(Mutex::new(Manner { answers: HashMap::new(), heard: Vec::new(), connections: Vec::new() })));
        server.answer("CLIENT", "+OK");
        server.answer("PING", "+PONG");
        server.answer("GET", &format!("+{name}"));
        server.answer("SET", "+OK");
        server.promote("master");
        server
    }

    /// A server that is now a replica, and goes on serving reads.
    pub(super) fn demote(&self) {
        self.answer("SET", "-READONLY You can't write against a read only replica.");
        self.promote("replica");
    }

    fn promote(&self, role: &str) {
        self.answer("HELLO", &format!("*4\r\n$5\r\nproto\r\n:2\r\n$4\r\nrole\r\n${}\r\n{role}", role.len()));
    }

    pub(super) fn answer(&self, command: &'static str, answer: &str) {
        self.0.lock().unwrap().answers.insert(command, format!("{answer}\r\n"));
    }

    /// Closes all connections.
    pub(super) fn cut(&self) {
        self.0.lock().unwrap().connections.drain(..).for_each(|connection| connection.abort());
    }

    pub(super) fn hang(&self) {
        self.0.lock().unwrap().answers.clear();
    }

    /// Returns how often it was sent this command.
    pub(super) fn heard(&self, command: &str) -> usize {
        self.0.lock().unwrap().heard.iter().filter(|heard| *heard == command).count()
    }

    async fn serve(self, stream: DuplexStream) {
        let (mut read, mut write) = split(stream);
        let mut decoder = Default::default();
        while let Ok(Value::Array(words)) = parse_redis_value_async(&mut decoder, &mut read).await {
            let Some(Value::BulkString(word)) = words.first() else { return };
            let word = String::from_utf8_lossy(word).into_owned();
            let answer = {
                let mut manner = self.0.lock().unwrap();
                manner.heard.push(word.clone());
                manner.answers.get(&*word).cloned()
            };
            match answer.as_deref() {
                Some(answer) if write.write_all(answer.as_bytes()).await.is_ok() => {}
                Some(_) => return,
                // Until the client leaves.
                None => {
                    let _ = read.read_to_end(&mut Vec::new()).await;
                    return;
                }
            }
        }
    }
}
