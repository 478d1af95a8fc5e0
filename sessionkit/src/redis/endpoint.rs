//! The address of the server, and the opening of a connection to it.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use ::redis::aio::{MultiplexedConnection, PubSub, PubSubSink, PubSubStream};
use ::redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use ::redis::{AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, RedisConnectionInfo, RedisError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::failure::RedisSetupError;
use super::role;
#[cfg(feature = "redis-tls")]
use super::tls::Tls;

/// After this long in silence the operating system asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Drives a connection; it ends when the connection does.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server's address and what to say first. `Debug` shows the address alone.
pub(super) struct Endpoint {
    address: ConnectionAddr,
    handshake: RedisConnectionInfo,
    #[cfg(feature = "redis-tls")]
    tls: Option<Tls>,
    #[cfg(test)]
    fake: Option<super::fake::Network>,
}

impl Endpoint {
    /// Reads a URL. Its parts are in no error: one of them is a password.
    #[cfg_attr(not(feature = "redis-tls"), allow(unused_variables))]
    pub(super) fn parse(url: &str, ca: Option<&[u8]>) -> Result<Self, RedisSetupError> {
        let (plain, encrypted) = without_tls(url);
        if encrypted && url.contains('#') {
            return Err(RedisSetupError::new(
                "the URL of a Redis server must not end in `#..`: the server's certificate is always verified",
            ));
        }
        let info: ConnectionInfo = plain.parse().map_err(|_: RedisError| {
            RedisSetupError::new(
                "not the URL of a Redis server: write `redis://[[user]:password@]host[:port][/database]`, `rediss://..` \
                 for TLS, or `unix:///path[?db=database]`; encode special characters in a password with %",
            )
        })?;
        #[cfg(feature = "redis-tls")]
        let tls = encrypted.then(|| Tls::new(ca)).transpose()?;
        #[cfg(not(feature = "redis-tls"))]
        if encrypted {
            return Err(RedisSetupError::new("`rediss://` needs the feature `redis-tls` of `sessionkit`"));
        }
        Ok(Self {
            address: info.addr().clone(),
            handshake: info.redis_settings().clone(),
            #[cfg(feature = "redis-tls")]
            tls,
            #[cfg(test)]
            fake: None,
        })
    }

    /// Leads to servers in memory.
    #[cfg(test)]
    pub(super) fn fake(network: super::fake::Network) -> Self {
        Self { fake: Some(network), ..Self::parse("redis://fake", None).unwrap() }
    }

    /// Returns the host if what is sent to it can be read on the way.
    pub(super) fn unencrypted_host(&self) -> Option<&str> {
        #[cfg(feature = "redis-tls")]
        if self.tls.is_some() {
            return None;
        }
        let ConnectionAddr::Tcp(host, _) = &self.address else { return None };
        let is_here = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
        };
        (!is_here).then_some(host)
    }

    /// Opens a connection. It does nothing until the driver runs.
    pub(super) async fn open(&self) -> Result<(MultiplexedConnection, Driver), RedisError> {
        // The caller of each call has a deadline.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let stream = self.stream().await?;
        let (connection, driver) = MultiplexedConnection::new_with_config(&self.handshake, stream, config).await?;
        Ok((connection, Box::pin(driver)))
    }

    /// Opens a connection on which nothing comes but what is published on this channel, and with which the server can be
    /// pinged. It ends when the stream is dropped.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<(PubSubSink, PubSubStream), RedisError> {
        let mut connection = PubSub::new(&self.handshake, self.stream().await?).await?;
        connection.subscribe(channel).await?;
        Ok(connection.split())
    }

    /// Returns the question whether the server is the master, as it is asked on a connection that is open.
    pub(super) fn question(&self) -> Cmd {
        role::question(self.handshake.protocol())
    }

    async fn stream(&self) -> io::Result<Box<dyn ByteStream>> {
        #[cfg(test)]
        if let Some(network) = &self.fake {
            return Ok(Box::new(network.connect()?));
        }
        match &self.address {
            ConnectionAddr::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
                #[cfg(feature = "redis-tls")]
                if let Some(tls) = &self.tls {
                    return Ok(Box::new(tls.connect(host, stream).await?));
                }
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A connection of any kind.
trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.address, f)
    }
}

/// The URL for plain TCP, and whether TLS was asked for.
///
/// We do TLS ourselves: `redis` reads the system's certificates anew for each connection, and panics in a program whose
/// dependencies brought two cryptography providers.
fn without_tls(url: &str) -> (String, bool) {
    match url.split_once(':') {
        Some((scheme, rest)) if ["rediss", "valkeys"].iter().any(|tls| scheme.eq_ignore_ascii_case(tls)) => {
            (format!("redis:{rest}"), true)
        }
        _ => (url.to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read() {
        let endpoint = Endpoint::parse("redis://ada:p%40ss@example.org:7000/3", None).unwrap();
        assert_eq!(format!("{endpoint:?}"), "example.org:7000");
        assert_eq!(endpoint.handshake.username(), Some("ada"));
        assert_eq!(endpoint.handshake.password(), Some("p@ss"));
        assert_eq!(endpoint.handshake.db(), 3);
        assert_eq!(format!("{:?}", Endpoint::parse("redis://[::1]", None).unwrap()), "::1:6379");
        assert_eq!(format!("{:?}", Endpoint::parse("unix:///run/redis.sock", None).unwrap()), "/run/redis.sock");
    }

    #[test]
    fn a_way_to_another_host_can_be_read_unless_it_is_encrypted() {
        let host = |url| Endpoint::parse(url, None).unwrap().unencrypted_host().map(str::to_owned);
        for here in [
            "redis://localhost",
            "redis://LOCALHOST:7000",
            "redis://redis.localhost",
            "redis://127.0.0.1",
            "redis://127.3.2.1",
            "redis://[::1]",
            "redis://[::ffff:127.0.0.1]",
            "unix:///run/redis.sock",
        ] {
            assert_eq!(host(here), None, "{here}");
        }
        for (there, named) in [
            ("redis://10.0.0.1", "10.0.0.1"),
            ("redis://ada:secret@redis.internal:7000/3", "redis.internal"),
            ("redis://localhost.example", "localhost.example"),
            ("redis://[fd00::1]", "fd00::1"),
        ] {
            assert_eq!(host(there).as_deref(), Some(named), "{there}");
        }
        #[cfg(feature = "redis-tls")]
        assert_eq!(host("rediss://redis.internal"), None);
    }

    #[test]
    fn an_error_shows_no_password() {
        let urls = [
            "hunter2",
            "http://:hunter2@localhost",
            "redis://:hunter2@",
            "redis://:hunter2@localhost/hunter2",
            "redis://:p/hunter2@localhost",
            "redis://localhost/?protocol=hunter2",
            "rediss://:hunter2@localhost#hunter2",
        ];
        for url in urls {
            let error = Endpoint::parse(url, None).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
        }
    }

    #[cfg(feature = "redis-tls")]
    #[test]
    fn tls_is_asked_for_by_the_scheme() {
        let tls = |url| Endpoint::parse(url, None).unwrap().tls.is_some();
        assert!(tls("rediss://localhost") && tls("REDISS://localhost"));
        assert!(!tls("redis://localhost"));
    }

    #[cfg(not(feature = "redis-tls"))]
    #[test]
    fn tls_names_the_feature_that_it_needs() {
        let error = Endpoint::parse("rediss://localhost", None).unwrap_err();
        assert!(error.to_string().contains("`redis-tls`"), "{error}");
    }
}
