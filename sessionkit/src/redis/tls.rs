//! TLS to the server.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::failure::RedisSetupError;

/// Whom to trust.
pub(super) struct Tls {
    /// `None` for the authorities that the system trusts.
    authorities: Option<RootCertStore>,
    /// Made for the first connection.
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(super) fn new(ca: Option<&[u8]>) -> Result<Self, RedisSetupError> {
        let authorities = ca.map(read_pem).transpose()?;
        Ok(Self { authorities, connector: OnceCell::new() })
    }

    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.connector.get_or_try_init(|| self.make_connector()).await?.connect(name, stream).await
    }

    async fn make_connector(&self) -> io::Result<TlsConnector> {
        let authorities = match &self.authorities {
            Some(authorities) => authorities.clone(),
            // Reads files, hundreds of them on some systems.
            None => tokio::task::spawn_blocking(system_authorities).await.map_err(io::Error::other)??,
        };
        // A program may hold several providers; it is not for us to choose its default one.
        let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        Ok(Arc::new(config).into())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

fn read_pem(pem: &[u8]) -> Result<RootCertStore, RedisSetupError> {
    let unreadable = || RedisSetupError::new("the CA certificate is not a certificate in PEM");
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        authorities.add(certificate.map_err(|_| unreadable())?).map_err(|_| unreadable())?;
    }
    if authorities.is_empty() { Err(unreadable()) } else { Ok(authorities) }
}

fn system_authorities() -> io::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut authorities = RootCertStore::empty();
    // Some systems have a broken certificate among good ones.
    authorities.add_parsable_certificates(found.certs);
    if authorities.is_empty() {
        let reason = found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string);
        return Err(io::Error::other(format!("the system's certificate authorities cannot be read: {reason}")));
    }
    Ok(authorities)
}
