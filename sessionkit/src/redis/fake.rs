//! Servers in memory, so that tests can move the clock.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use ::redis::{Value, parse_redis_value_async};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::address::Address;

/// An address, behind which a server stands, or none does.
#[derive(Clone, Default)]
pub(super) struct Network(Arc<Mutex<Route>>);

#[derive(Default)]
struct Route {
    server: Option<FakeServer>,
    nodes: HashMap<Address, FakeServer>,
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

    /// Lets connections to a node of a cluster lead to a server, or be refused.
    pub(super) fn place(&self, port: u16, server: Option<&FakeServer>) {
        let address = Address { host: "fake".to_owned(), port };
        let mut route = self.0.lock().unwrap();
        match server {
            Some(server) => drop(route.nodes.insert(address, server.clone())),
            None => drop(route.nodes.remove(&address)),
        }
    }

    /// The time at which somebody tried to connect.
    pub(super) fn attempts(&self) -> Vec<Instant> {
        self.0.lock().unwrap().attempts.clone()
    }

    pub(super) fn connect(&self, node: Option<&Address>) -> io::Result<DuplexStream> {
        let mut route = self.0.lock().unwrap();
        route.attempts.push(Instant::now());
        let server = match node {
            Some(address) => route.nodes.get(address).cloned(),
            None => route.server.clone(),
        };
        let server = server.ok_or(io::ErrorKind::ConnectionRefused)?;
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
    heard: Vec<(String, Instant)>,
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
        self.heard_at(command).len()
    }

    /// Returns the times at which it was sent this command.
    pub(super) fn heard_at(&self, command: &str) -> Vec<Instant> {
        let manner = self.0.lock().unwrap();
        manner.heard.iter().filter(|(heard, _)| heard == command).map(|(_, at)| *at).collect()
    }

    async fn serve(self, stream: DuplexStream) {
        let (mut read, mut write) = split(stream);
        let mut decoder = Default::default();
        while let Ok(Value::Array(words)) = parse_redis_value_async(&mut decoder, &mut read).await {
            let Some(Value::BulkString(word)) = words.first() else { return };
            let word = String::from_utf8_lossy(word).into_owned();
            let answer = {
                let mut manner = self.0.lock().unwrap();
                manner.heard.push((word.clone(), Instant::now()));
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
