//! A Redis server of our own, and what it tells about itself.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{Result, Server};

/// Ends the server when its own standard input closes, so that nothing is left behind however we end.
const WATCHED: &str = "redis-server \"$@\" >/dev/null & cat >/dev/null; kill $!; wait";

pub struct RedisServer {
    port: u16,
    client: redis::Connection,
    _server: Server,
    _directory: TempDir,
}

impl RedisServer {
    /// Starts a server that keeps nothing on the disk.
    pub fn start() -> Result<Self> {
        let directory = TempDir::with_prefix("sessionkit-bench-").map_err(|error| error.to_string())?;
        let port = free_port()?;
        let mut command = Command::new("sh");
        command.args(["-c", WATCHED, "sh", "--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(directory.path());
        let server = Server::start(&mut command)?;
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let client = loop {
            match client.get_connection() {
                Ok(client) => break client,
                Err(error) if Instant::now() > deadline => return Err(format!("redis-server does not start: {error}")),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        Ok(Self { port, client, _server: server, _directory: directory })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The microseconds of CPU that the server has used.
    pub fn cpu(&mut self) -> Result<f64> {
        Ok((self.info("cpu", "used_cpu_user")? + self.info("cpu", "used_cpu_sys")?) * 1e6)
    }

    /// The bytes that its data take.
    pub fn memory(&mut self) -> Result<f64> {
        self.info("memory", "used_memory")
    }

    /// The number of connections that it has accepted, ours included.
    pub fn accepted(&mut self) -> Result<f64> {
        self.info("stats", "total_connections_received")
    }

    pub fn version(&mut self) -> Result<String> {
        self.info_text("server", "redis_version")
    }

    /// The bytes of a key that was picked at random.
    pub fn random_key(&mut self) -> Result<f64> {
        let key: String = self.query(redis::cmd("RANDOMKEY"))?;
        self.query(redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).to_owned())
    }

    /// The bytes of the value of a key.
    pub fn length(&mut self, key: &str) -> Result<f64> {
        self.query(redis::cmd("STRLEN").arg(key).to_owned())
    }

    /// Forgets everything.
    pub fn clear(&mut self) -> Result {
        self.query(redis::cmd("FLUSHALL"))
    }

    fn info(&mut self, section: &str, name: &str) -> Result<f64> {
        let text = self.info_text(section, name)?;
        text.parse().map_err(|_| format!("{name} is not a number: {text}"))
    }

    fn info_text(&mut self, section: &str, name: &str) -> Result<String> {
        let info: String = self.query(redis::cmd("INFO").arg(section).to_owned())?;
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned()).ok_or_else(|| format!("Redis tells no {name}"))
    }

    fn query<T: redis::FromRedisValue>(&mut self, command: redis::Cmd) -> Result<T> {
        command.query(&mut self.client).map_err(|error| error.to_string())
    }

    /// Begins to write down the commands that clients send.
    pub fn monitor(&self) -> Result<Monitor> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).map_err(|error| error.to_string())?;
        stream.write_all(b"MONITOR\r\n").map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(stream);
        lines.read_line(&mut String::new()).map_err(|error| error.to_string())?;
        Ok(Monitor { lines })
    }
}

/// A record of the commands that clients send from the moment of its creation.
pub struct Monitor {
    lines: BufReader<TcpStream>,
}

impl Monitor {
    /// Ends with a command of our own, and counts the others by name. Those inside scripts are the server's own affair.
    pub fn finish(mut self, server: &mut RedisServer) -> Result<BTreeMap<String, usize>> {
        const END: &str = "the end of the measurement";
        let () = server.query(redis::cmd("ECHO").arg(END).to_owned()).map(|_: String| ())?;
        let mut commands = BTreeMap::new();
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).map_err(|error| error.to_string())?;
            // +1700000000.000000 [0 127.0.0.1:40000] "GET" "key"
            let Some((client, command)) = line.split_once("] ") else { continue };
            if command.contains(END) {
                return Ok(commands);
            }
            if client.ends_with(" lua") {
                continue;
            }
            let name = command.trim().split('"').nth(1).unwrap_or_default().to_uppercase();
            *commands.entry(name).or_default() += 1;
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}
