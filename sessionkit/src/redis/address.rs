//! The addresses of servers, and the URLs that name several of them.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, RedisConnectionInfo, RedisError};

use super::failure::RedisSetupError;
use super::replication::Wanted;

/// The port of a server, if none is named.
const SERVER_PORT: u16 = 6379;

/// The port of a sentinel, if none is named.
const SENTINEL_PORT: u16 = 26379;

/// The address of a server.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// Reads `host:port`, as servers write it: an IPv6 address has no brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The place that a URL names.
#[derive(Debug)]
pub(super) enum Place {
    /// One server.
    Server(ConnectionAddr),
    /// Some of the nodes of a cluster.
    Cluster(Vec<Address>),
    /// Sentinels, who know where the master of this name is.
    Sentinels { addresses: Vec<Address>, master: String, login: RedisConnectionInfo },
}

/// A URL, taken apart.
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) handshake: RedisConnectionInfo,
    pub(super) is_encrypted: bool,
    /// The replicas that writes wait for.
    pub(super) wanted: Option<Wanted>,
}

impl Target {
    /// Reads a URL. Its parts are in no error: one of them is a password.
    pub(super) fn parse(url: &str) -> Result<Self, RedisSetupError> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        let scheme = scheme.to_ascii_lowercase();
        let (is_encrypted, topology) = match scheme.split_once('+') {
            Some((base, topology @ ("cluster" | "sentinel"))) => (is_encrypted(base), Some(topology)),
            _ => (is_encrypted(&scheme), None),
        };
        let Some(is_encrypted) = is_encrypted else { return Err(not_a_url()) };
        if is_encrypted && url.contains('#') {
            return Err(RedisSetupError::new(
                "the URL of a Redis server must not end in `#..`: the server's certificate is always verified",
            ));
        }
        let several = || Several::parse(rest).ok_or_else(not_a_url);
        let wanted = wanted_in(rest)?;
        match topology {
            None => {
                // TLS is done here: `redis` reads the system's certificates anew for each connection, and panics in a program
                // whose dependencies brought two cryptography providers.
                let plain = if is_encrypted { format!("redis:{rest}") } else { url.to_owned() };
                let info = parse_one(&plain)?;
                refuse_others(
                    rest,
                    match info.addr() {
                        ConnectionAddr::Unix(_) => &["protocol", "db", "user", "pass"],
                        _ => &["protocol"],
                    },
                )?;
                let (place, handshake) = (Place::Server(info.addr().clone()), info.redis_settings().clone());
                Ok(Self { place, handshake, is_encrypted, wanted })
            }
            Some("cluster") => Self::cluster(&several()?, is_encrypted, wanted),
            Some(_) => Self::sentinels(&several()?, is_encrypted, wanted),
        }
    }

    fn cluster(url: &Several<'_>, is_encrypted: bool, wanted: Option<Wanted>) -> Result<Self, RedisSetupError> {
        refuse_others(url.query, &["protocol"])?;
        if !["", "0"].contains(&url.path.trim_matches('/')) {
            return Err(RedisSetupError::new(
                "a Redis Cluster has one database: write `redis+cluster://host:port,host:port`, and no number behind it",
            ));
        }
        let handshake = url.handshake("", None)?;
        Ok(Self { place: Place::Cluster(url.addresses(SERVER_PORT)?), handshake, is_encrypted, wanted })
    }

    fn sentinels(url: &Several<'_>, is_encrypted: bool, wanted: Option<Wanted>) -> Result<Self, RedisSetupError> {
        refuse_others(url.query, &["protocol", "sentinel_user", "sentinel_password"])?;
        let (master, database) = url.path.trim_matches('/').split_once('/').unwrap_or((url.path.trim_matches('/'), ""));
        let master = decoded(master).filter(|name| !name.is_empty()).ok_or_else(|| {
            RedisSetupError::new(
                "the URL of sentinels names the master that they watch: write `redis+sentinel://host:port,host:port/mymaster`, \
                 and the number of a database behind it if there is one",
            )
        })?;
        let handshake = url.handshake(database, None)?;
        let login = url.handshake("", Some(("sentinel_user", "sentinel_password")))?;
        let addresses = url.addresses(SENTINEL_PORT)?;
        Ok(Self { place: Place::Sentinels { addresses, master, login }, handshake, is_encrypted, wanted })
    }

    /// Logs in with another password than that of the URL, and as another user.
    pub(super) fn log_in(&mut self, user: Option<&str>, password: &str) {
        let handshake = self.handshake.clone().set_password(password);
        self.handshake = match user {
            Some(user) => handshake.set_username(user),
            None => handshake,
        };
    }

    /// Returns a host if what is sent to it can be read on the way.
    pub(super) fn unencrypted_host(&self) -> Option<&str> {
        if self.is_encrypted {
            return None;
        }
        match &self.place {
            Place::Server(ConnectionAddr::Tcp(host, _)) => Some(&**host).filter(|host| is_elsewhere(host)),
            Place::Server(_) => None,
            Place::Cluster(addresses) | Place::Sentinels { addresses, .. } => {
                addresses.iter().map(|address| &*address.host).find(|host| is_elsewhere(host))
            }
        }
    }
}

fn is_elsewhere(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => !address.to_canonical().is_loopback(),
        Err(_) => !host.eq_ignore_ascii_case("localhost") && !host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

/// A URL with several hosts, behind its scheme.
struct Several<'a> {
    login: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Several<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        let rest = rest.strip_prefix("//")?;
        let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        // A password with a slash that is not encoded ends up in the path.
        (!query.contains('#') && !path.contains('@')).then_some(Self { login, hosts, path, query })
    }

    fn addresses(&self, port: u16) -> Result<Vec<Address>, RedisSetupError> {
        let address = |host: &str| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            let url = if has_port { format!("redis://{host}") } else { format!("redis://{host}:{port}") };
            match parse_one(&url)?.addr() {
                ConnectionAddr::Tcp(host, port) => Ok(Address { host: host.clone(), port: *port }),
                _ => Err(not_a_url()),
            }
        };
        self.hosts.split(',').map(address).collect()
    }

    /// Returns what is said to each server first, or to each sentinel, with the login in these parameters.
    fn handshake(&self, database: &str, login: Option<(&str, &str)>) -> Result<RedisConnectionInfo, RedisSetupError> {
        let value = |name: &str| parameters(self.query).find(|(found, _)| *found == name).map(|(_, value)| value);
        let login = match login {
            None => self.login.to_owned(),
            Some((user, password)) => match (value(user), value(password)) {
                (None, None) => String::new(),
                (Some(_), None) => {
                    return Err(RedisSetupError::new(format!("the parameter `{user}` needs `{password}`")));
                }
                (user, Some(password)) => format!("{}:{password}", user.unwrap_or_default()),
            },
        };
        let at = if login.is_empty() { "" } else { "@" };
        let protocol = value("protocol").map(|protocol| format!("?protocol={protocol}")).unwrap_or_default();
        let info = parse_one(&format!("redis://{login}{at}localhost/{database}{protocol}"))?;
        Ok(info.redis_settings().clone())
    }
}

fn parse_one(url: &str) -> Result<ConnectionInfo, RedisSetupError> {
    url.parse().map_err(|_: RedisError| not_a_url())
}

fn not_a_url() -> RedisSetupError {
    RedisSetupError::new(
        "not the URL of a Redis server: write `redis://[[user]:password@]host[:port][/database]`, `rediss://..` \
         for TLS, `unix:///path[?db=database]`, `redis+cluster://host:port,host:port`, or \
         `redis+sentinel://host:port,host:port/mymaster`; encode special characters in a password with %",
    )
}

/// Returns whether a scheme stands for TLS; `None` if it is not one of ours.
fn is_encrypted(scheme: &str) -> Option<bool> {
    match scheme {
        "rediss" | "valkeys" => Some(true),
        "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => Some(false),
        _ => None,
    }
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = query.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

/// Refuses parameters that nobody would obey.
fn refuse_others(query: &str, known: &[&str]) -> Result<(), RedisSetupError> {
    let known: Vec<&str> = known.iter().chain(&["wait_replicas", "wait_timeout"]).copied().collect();
    if parameters(query).all(|(name, _)| known.contains(&name)) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    Err(RedisSetupError::new(format!(
        "the URL of the Redis server has a parameter that is not known: this kind has {}",
        known.join(", ")
    )))
}

/// Reads the replicas that writes wait for, and for how many milliseconds.
fn wanted_in(query: &str) -> Result<Option<Wanted>, RedisSetupError> {
    let number = |name: &str| {
        let value = parameters(query).find(|(found, _)| *found == name).map(|(_, value)| value.parse::<u32>());
        value.transpose().map_err(|_| RedisSetupError::new(format!("the parameter `{name}` is a number")))
    };
    match (number("wait_replicas")?, number("wait_timeout")?) {
        (None, None) => Ok(None),
        (Some(replicas), timeout) => {
            let timeout = Duration::from_millis(timeout.unwrap_or(DEFAULT_WAIT).into());
            Wanted { replicas, timeout }.check().map(Some)
        }
        (None, Some(_)) => Err(RedisSetupError::new("the parameter `wait_timeout` needs `wait_replicas`")),
    }
}

/// The time that replicas have, in milliseconds, unless it is set: a fifth of the default deadline of a commit.
const DEFAULT_WAIT: u32 = 100;

/// Decodes what is encoded with `%`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, others)) = rest.split_first() {
        rest = others;
        if byte == b'%' {
            let (digits, others) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = others;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_url_of_a_cluster_names_several_nodes() {
        let target = target("rediss+cluster://ada:p%40ss@one:7000,two,[::1]:7002?protocol=resp3");
        let Place::Cluster(nodes) = &target.place else { panic!("{:?}", target.place) };
        let nodes: Vec<String> = nodes.iter().map(Address::to_string).collect();
        assert_eq!(nodes, ["one:7000", "two:6379", "::1:7002"]);
        assert_eq!((target.handshake.username(), target.handshake.password()), (Some("ada"), Some("p@ss")));
        assert!(target.is_encrypted && target.handshake.protocol().supports_resp3());
    }

    #[test]
    fn a_url_of_sentinels_names_the_master_that_they_watch() {
        let url = "redis+sentinel://:secret@one,two:7001/my%20master/3?sentinel_user=eve&sentinel_password=p%40ss";
        let target = target(url);
        let Place::Sentinels { addresses, master, login } = &target.place else { panic!("{:?}", target.place) };
        let addresses: Vec<String> = addresses.iter().map(Address::to_string).collect();
        assert_eq!((&*addresses.join(" "), &**master), ("one:26379 two:7001", "my master"));
        assert_eq!((target.handshake.password(), target.handshake.db()), (Some("secret"), 3));
        assert_eq!((login.username(), login.password(), login.db()), (Some("eve"), Some("p@ss"), 0));
        assert!(!target.is_encrypted);
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_url() {
        for (url, said) in [
            ("redis+cluster://:hunter2@one:7000/3", "one database"),
            ("redis+cluster://:hunter2@", "redis+cluster://"),
            ("redis+cluster://:hunter2@one:7000,", "redis+cluster://"),
            ("redis+cluster:one", "redis+cluster://"),
            ("redis+hunter2://one", "redis+cluster://"),
            ("redis+sentinel://:hunter2@one:7000", "names the master"),
            ("redis+sentinel://:hunter2@one:7000/m/hunter2", "redis+sentinel://"),
            ("redis+sentinel://ada:12/hunter2@one/m", "encode special characters"),
            ("redis+sentinel://one/m?sentinel_user=hunter2", "needs `sentinel_password`"),
            ("redis://one?wait_replicas=0", "one replica at least"),
            ("redis://one?wait_replicas=1&wait_timeout=0", "one millisecond"),
            ("redis+cluster://one?wait_replicas=hunter2", "`wait_replicas` is a number"),
            ("redis+cluster://one?wait_timeout=5", "needs `wait_replicas`"),
            ("redis+sentinel://one/m?hunter2=1", "has `protocol`, `sentinel_user`"),
            ("redis://localhost?hunter2=1", "not known"),
            ("rediss+cluster://:hunter2@one#insecure", "always verified"),
        ] {
            let error = Target::parse(url).err().expect(url);
            assert!(error.to_string().contains(said), "{url}: {error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }
}
