//! https in front of plain servers.

use super::certificates::Certificates;
use super::temporary_directory;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Speaks TLS for servers that do not, as a proxy in front of an application does: with a certificate of its own for the
/// names of all of them, the name that a client asks for decides which server gets the bytes.
///
/// It belongs to the runtime that it was started on, and ends when dropped, its connections with it.
#[derive(Debug)]
pub struct HttpsFront {
    address: SocketAddr,
    certificates: Certificates,
    _directory: TempDir,
    acceptor: JoinHandle<()>,
}

impl HttpsFront {
    /// Starts on a free port.
    ///
    /// # Panics
    ///
    /// If there is no host.
    pub async fn start(hosts: BTreeMap<String, SocketAddr>) -> Self {
        let directory = temporary_directory("https-");
        let names: Vec<&str> = hosts.keys().map(String::as_str).collect();
        let certificates = Certificates::create_in(directory.path(), &names);
        let tls = TlsAcceptor::from(Arc::new(settings(&certificates)));
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let acceptor = tokio::spawn(async move {
            let (hosts, mut tunnels) = (Arc::new(hosts), JoinSet::new());
            while let Ok((client, _)) = listener.accept().await {
                // What became of a connection is the client's concern.
                tunnels.spawn(forward(tls.clone(), client, hosts.clone()));
                while tunnels.try_join_next().is_some() {}
            }
        });
        Self { address, certificates, _directory: directory, acceptor }
    }

    /// Returns the address that clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// By what a browser knows the certificate's key: SHA-256, base64.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.certificates.fingerprint
    }
}

impl Drop for HttpsFront {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

fn settings(certificates: &Certificates) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(&certificates.certificate).expect("we wrote it");
    let key = PrivateKeyDer::from_pem_file(&certificates.key).expect("we wrote it");
    let settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let settings = settings.with_safe_default_protocol_versions().expect("ring has them").with_no_client_auth();
    settings.with_single_cert(vec![certificate], key).expect("the key is the certificate's")
}

async fn forward(tls: TlsAcceptor, client: TcpStream, hosts: Arc<BTreeMap<String, SocketAddr>>) -> io::Result<()> {
    let mut client = tls.accept(client).await?;
    let server = client.get_ref().1.server_name().and_then(|name| hosts.get(name));
    let mut server = TcpStream::connect(server.ok_or(io::ErrorKind::NotFound)?).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
