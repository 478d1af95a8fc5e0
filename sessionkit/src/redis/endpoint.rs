//! The address of the server, and the opening of a connection to it.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{MultiplexedConnection, PubSub, PubSubSink, PubSubStream};
use ::redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use ::redis::{AsyncConnectionConfig, Cmd, ConnectionAddr, RedisConnectionInfo, RedisError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::{Address, Place, Target};
use super::failure::RedisSetupError;
use super::role;
use super::sentinel::{Sentinels, Voucher};
#[cfg(feature = "redis-tls")]
use super::tls::Tls;

/// After this long in silence the operating system asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Drives a connection; it ends when the connection does.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that is being opened, its driver, and who vouches for its server.
type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<(MultiplexedConnection, Driver, Option<Voucher>), RedisError>> + Send + 'a>>;

/// A server's address and what to say first. `Debug` shows the address alone.
#[derive(Clone)]
pub(super) struct Endpoint {
    location: Location,
    handshake: RedisConnectionInfo,
    #[cfg(feature = "redis-tls")]
    tls: Option<Arc<Tls>>,
    #[cfg(test)]
    fake: Option<super::fake::Network>,
}

/// The place where the server is.
#[derive(Clone)]
enum Location {
    Fixed(ConnectionAddr),
    /// A node of a cluster, which sends clients to other nodes.
    Node(Address),
    /// The place that sentinels name.
    Watched(Arc<Sentinels>),
}

impl Endpoint {
    /// Reads a URL. Its parts are in no error: one of them is a password.
    ///
    /// Returns one endpoint, or one for each of the nodes of a cluster that are named.
    #[cfg(test)]
    pub(super) fn parse(url: &str, ca: Option<&[u8]>) -> Result<Vec<Self>, RedisSetupError> {
        Self::of_target(Target::parse(url)?, ca)
    }

    /// Returns the endpoints of a URL that was read.
    #[cfg_attr(not(feature = "redis-tls"), allow(unused_variables))]
    pub(super) fn of_target(target: Target, ca: Option<&[u8]>) -> Result<Vec<Self>, RedisSetupError> {
        #[cfg(feature = "redis-tls")]
        let tls = target.is_encrypted.then(|| Tls::new(ca)).transpose()?.map(Arc::new);
        #[cfg(not(feature = "redis-tls"))]
        if target.is_encrypted {
            return Err(RedisSetupError::new("`rediss://` needs the feature `redis-tls` of `sessionkit`"));
        }
        let at = |location, handshake: &RedisConnectionInfo| Self {
            location,
            handshake: handshake.clone(),
            #[cfg(feature = "redis-tls")]
            tls: tls.clone(),
            #[cfg(test)]
            fake: None,
        };
        let handshake = &target.handshake;
        Ok(match target.place {
            Place::Server(address) => vec![at(Location::Fixed(address), handshake)],
            Place::Cluster(nodes) => nodes.into_iter().map(|node| at(Location::Node(node), handshake)).collect(),
            Place::Sentinels { addresses, master, login } => {
                let sentinel =
                    |address: Address| at(Location::Fixed(ConnectionAddr::Tcp(address.host, address.port)), &login);
                let sentinels = Sentinels::new(addresses.into_iter().map(sentinel).collect(), master);
                vec![at(Location::Watched(Arc::new(sentinels)), handshake)]
            }
        })
    }

    /// Returns the endpoint of another node of the same cluster.
    pub(super) fn of_node(&self, address: Address) -> Self {
        Self {
            location: Location::Node(address),
            handshake: self.handshake.clone(),
            #[cfg(feature = "redis-tls")]
            tls: self.tls.clone(),
            #[cfg(test)]
            fake: self.fake.clone(),
        }
    }

    /// Returns the address, if this is a node of a cluster.
    pub(super) fn node(&self) -> Option<&Address> {
        match &self.location {
            Location::Node(address) => Some(address),
            _ => None,
        }
    }

    /// Leads to servers in memory.
    #[cfg(test)]
    pub(super) fn fake(network: super::fake::Network) -> Self {
        Self { fake: Some(network), ..Self::parse("redis://fake", None).unwrap().remove(0) }
    }

    /// Opens a connection. It does nothing until the driver runs. Also returns who says, beside the server itself, that it
    /// is the master.
    pub(super) async fn open(&self) -> Result<(MultiplexedConnection, Driver, Option<Voucher>), RedisError> {
        // The caller of each call has a deadline.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (stream, voucher) = self.stream().await?;
        let (connection, driver) = MultiplexedConnection::new_with_config(&self.handshake, stream, config).await?;
        Ok((connection, Box::pin(driver), voucher))
    }

    /// Opens a connection in a future of a known type: to a sentinel, on the way to another server.
    pub(super) fn open_boxed(&self) -> Opening<'_> {
        Box::pin(self.open())
    }

    /// Opens a connection on which nothing comes but what is published on this channel, and with which the server can be
    /// pinged. It ends when the stream is dropped.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<(PubSubSink, PubSubStream), RedisError> {
        let mut connection = PubSub::new(&self.handshake, self.stream().await?.0).await?;
        connection.subscribe(channel).await?;
        Ok(connection.split())
    }

    /// Returns the question whether the server is the master, as it is asked on a connection that is open.
    pub(super) fn question(&self) -> Cmd {
        role::question(self.handshake.protocol())
    }

    /// Opens a stream to the server, which is boxed because the way to it may lead over sentinels.
    async fn stream(&self) -> io::Result<(Box<dyn ByteStream>, Option<Voucher>)> {
        #[cfg(test)]
        if let Some(network) = &self.fake {
            return Ok((Box::new(network.connect(self.node())?), None));
        }
        match &self.location {
            Location::Fixed(ConnectionAddr::Tcp(host, port)) => Ok((self.stream_to(host, *port).await?, None)),
            Location::Node(Address { host, port }) => Ok((self.stream_to(host, *port).await?, None)),
            #[cfg(unix)]
            Location::Fixed(ConnectionAddr::Unix(path)) => {
                Ok((Box::new(tokio::net::UnixStream::connect(path).await?), None))
            }
            Location::Fixed(_) => Err(io::ErrorKind::Unsupported.into()),
            Location::Watched(sentinels) => {
                let master: Address = sentinels.master().await.map_err(io::Error::other)?;
                let stream = self.stream_to(&master.host, master.port).await?;
                Ok((stream, Some(Voucher::new(sentinels.clone(), master))))
            }
        }
    }

    async fn stream_to(&self, host: &str, port: u16) -> io::Result<Box<dyn ByteStream>> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
        #[cfg(feature = "redis-tls")]
        if let Some(tls) = &self.tls {
            return Ok(Box::new(tls.connect(host, stream).await?));
        }
        Ok(Box::new(stream))
    }
}

/// A connection of any kind.
trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Fixed(address) => fmt::Display::fmt(address, f),
            Location::Node(address) => fmt::Display::fmt(address, f),
            Location::Watched(sentinels) => fmt::Debug::fmt(sentinels, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url, None).unwrap().remove(0)
    }

    #[test]
    fn a_url_is_read() {
        let endpoint = endpoint("redis://ada:p%40ss@example.org:7000/3");
        assert_eq!(format!("{endpoint:?}"), "example.org:7000");
        assert_eq!(endpoint.handshake.username(), Some("ada"));
        assert_eq!(endpoint.handshake.password(), Some("p@ss"));
        assert_eq!(endpoint.handshake.db(), 3);
        assert_eq!(format!("{:?}", self::endpoint("redis://[::1]")), "::1:6379");
        assert_eq!(format!("{:?}", self::endpoint("unix:///run/redis.sock")), "/run/redis.sock");
        assert_eq!(Endpoint::parse("redis+cluster://one,two", None).unwrap().len(), 2);
        let watched = format!("{:?}", self::endpoint("redis+sentinel://:secret@one,two/mymaster"));
        assert_eq!(watched, "mymaster at one:26379, two:26379");
    }

    #[test]
    fn a_way_to_another_host_can_be_read_unless_it_is_encrypted() {
        let host = |url| {
            let target = Target::parse(url).unwrap();
            target.unencrypted_host().map(str::to_owned)
        };
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
            ("redis+cluster://localhost:7000,10.0.0.1:7001", "10.0.0.1"),
            ("redis+sentinel://10.0.0.1,localhost/mymaster", "10.0.0.1"),
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
        let tls = |url| endpoint(url).tls.is_some();
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
