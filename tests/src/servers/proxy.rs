//! A network that fails when told to.

mod mishap;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

pub use self::mishap::Mishap;
use self::mishap::{Fates, Mishaps};

/// A TCP proxy in front of a server, which can lose connections, refuse them, and swallow what is sent.
///
/// It belongs to the runtime that it was started on, and ends when dropped, its connections with it.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    network: Arc<Network>,
    /// `None` only while it changes.
    gate: Mutex<Option<Gate>>,
}

/// The state that the proxy shares with its tasks.
#[derive(Debug)]
struct Network {
    upstream: SyncMutex<SocketAddr>,
    accepted: AtomicUsize,
    /// The times that a client sent something and had heard from the server since it last did.
    asked: AtomicUsize,
    tunnels: SyncMutex<JoinSet<()>>,
    weather: watch::Sender<Weather>,
    mishaps: Mishaps,
}

/// The conditions under which the proxy forwards bytes, or holds them back.
#[derive(Debug, Default)]
struct Weather {
    blackhole: bool,
    /// The time for which bytes are on their way.
    delay: Duration,
    /// Of the connections with these numbers, nothing is forwarded any more.
    stranded: Range<usize>,
}

#[derive(Debug)]
enum Gate {
    Open(JoinHandle<()>),
    /// Bound without listening: connections are refused, and nobody else gets the port.
    Closed(TcpSocket),
}

impl FaultProxy {
    /// Starts a proxy in front of this address, on a free port.
    ///
    /// # Panics
    ///
    /// If the loopback interface has no free port.
    pub async fn start(upstream: SocketAddr) -> Self {
        let socket = bind((Ipv4Addr::LOCALHOST, 0).into()).expect("the loopback interface has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let network = Arc::new(Network {
            upstream: SyncMutex::new(upstream),
            accepted: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            tunnels: SyncMutex::default(),
            weather: watch::Sender::default(),
            mishaps: Mishaps::default(),
        });
        let gate = Mutex::new(Some(Gate::open(socket, &network)));
        Self { address, network, gate }
    }

    /// Returns the address that clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.network.accepted.load(Ordering::SeqCst)
    }

    /// Returns how many round trips clients have begun so far: all that a client sends before the server says something
    /// is one.
    #[must_use]
    pub fn round_trips(&self) -> usize {
        self.network.asked.load(Ordering::SeqCst)
    }

    /// Leads new connections to another server, as a failover behind one address does. Those that exist stay.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.network.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// Closes all connections; when this returns, they are. New ones are accepted.
    pub async fn cut(&self) {
        let mut tunnels = std::mem::take(&mut *self.network.tunnels());
        tunnels.shutdown().await;
    }

    /// Refuses new connections, or accepts them again, from when this returns on. Those that exist stay.
    ///
    /// # Panics
    ///
    /// If another process took the port in the instant between listening and not.
    pub async fn refuse(&self, refuse: bool) {
        let mut gate = self.gate.lock().await;
        *gate = match (gate.take(), refuse) {
            (Some(Gate::Open(acceptor)), true) => {
                acceptor.abort();
                // The listener is closed when its task has ended.
                let _ = acceptor.await;
                Some(Gate::Closed(bind(self.address).expect("the proxy's port is still free")))
            }
            (Some(Gate::Closed(socket)), false) => Some(Gate::open(socket, &self.network)),
            (unchanged, _) => unchanged,
        };
    }

    /// Forwards nothing in either direction, or everything again; connections are still accepted. What is sent
    /// meanwhile is held back and forwarded afterwards, as TCP does with packets that were lost.
    pub fn blackhole(&self, blackhole: bool) {
        self.network.weather.send_modify(|weather| weather.blackhole = blackhole);
    }

    /// Holds back whatever is sent for this long, in each direction, as a long way does.
    pub fn delay(&self, delay: Duration) {
        self.network.weather.send_modify(|weather| weather.delay = delay);
    }

    /// Lets a mishap befall one command that reads or writes a key of a Redis, after so many others that it spares.
    pub fn befall(&self, skipped: usize, mishap: Mishap) {
        self.network.mishaps.set(skipped, mishap);
    }

    /// Returns whether the mishap has happened; it does not happen after this any more.
    pub fn has_befallen(&self) -> bool {
        self.network.mishaps.clear()
    }

    /// Leaves the connections that exist open, and forwards nothing on them ever again, as if the server's host had been
    /// replaced. New ones work.
    pub fn strand(&self) {
        let accepted = self.connections();
        self.network.weather.send_modify(|weather| weather.stranded = 0..accepted);
    }

    /// Strands the connection that was opened last, and no other.
    pub fn strand_last(&self) {
        let accepted = self.connections();
        self.network.weather.send_modify(|weather| weather.stranded = accepted.saturating_sub(1)..accepted);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(Gate::Open(acceptor)) = self.gate.get_mut() {
            acceptor.abort();
        }
        self.network.tunnels().abort_all();
    }
}

impl Gate {
    fn open(socket: TcpSocket, network: &Arc<Network>) -> Self {
        let listener = socket.listen(1024).expect("a bound socket can listen");
        Self::Open(tokio::spawn(accept(listener, Arc::clone(network))))
    }
}

impl Network {
    fn tunnels(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.tunnels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the network forwards on the connection of this number.
    async fn flowing(&self, number: usize) {
        let mut weather = self.weather.subscribe();
        // An error means that the proxy was dropped, and this task is about to be.
        let _ = weather.wait_for(|weather| !weather.blackhole && !weather.stranded.contains(&number)).await;
    }
}

/// `SO_REUSEADDR`, since connections of the listener before may still exist.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, network: Arc<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let number = network.accepted.fetch_add(1, Ordering::SeqCst);
        let tunnel = tunnel(number, client, Arc::clone(&network));
        let mut tunnels = network.tunnels();
        while tunnels.try_join_next().is_some() {}
        tunnels.spawn(tunnel);
    }
}

/// Either side failing ends the connection to both.
async fn tunnel(number: usize, mut client: TcpStream, network: Arc<Network>) {
    network.flowing(number).await;
    let upstream = *network.upstream.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    // Small packets would wait for each other, and timings in tests would be the proxy's.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let fates = Fates::default();
    let has_asked = AtomicBool::new(false);
    let upward = async {
        let mut buffer = [0; 8192];
        loop {
            match receive(&mut from_client, &mut buffer, number, &network).await? {
                [] => return to_server.shutdown().await,
                bytes => {
                    if !has_asked.swap(true, Ordering::SeqCst) {
                        network.asked.fetch_add(1, Ordering::SeqCst);
                    }
                    fates.upward(bytes, &mut to_server, &network.mishaps).await?;
                }
            }
        }
    };
    let downward = async {
        let mut buffer = [0; 8192];
        loop {
            match receive(&mut from_server, &mut buffer, number, &network).await? {
                [] => return to_client.shutdown().await,
                bytes => {
                    has_asked.store(false, Ordering::SeqCst);
                    fates.downward(bytes, &mut to_client).await?;
                }
            }
        }
    };
    let _: io::Result<((), ())> = tokio::try_join!(upward, downward);
}

/// Receives bytes once the network forwards them; none at the end.
async fn receive<'b>(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &'b mut [u8],
    number: usize,
    network: &Network,
) -> io::Result<&'b [u8]> {
    let length = from.read(buffer).await?;
    let delay = network.weather.borrow().delay;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    network.flowing(number).await;
    Ok(&buffer[..length])
}
