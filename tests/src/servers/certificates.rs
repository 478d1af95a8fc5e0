//! A certificate authority for one server, and the server's certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData as _,
};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// PEM files, and by what Chromium knows the server's key.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    pub(super) ca: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// SHA-256 of the public key, base64.
    pub(super) fingerprint: String,
}

impl Certificates {
    /// For a server of these names.
    pub(super) fn create_in(directory: &Path, names: &[&str]) -> Self {
        Self::try_create_in(directory, names).expect("these parameters are valid")
    }

    fn try_create_in(directory: &Path, names: &[&str]) -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::new([])?;
        // A name of its own: an issuer called like the server would make the server's certificate look self-signed.
        authority.distinguished_name.push(DnType::CommonName, "SessionKit test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();

        let mut server = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        server.distinguished_name.push(DnType::CommonName, names[0]);
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // The nodes of a cluster are clients of one another.
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let server_key = KeyPair::generate()?;
        let server_pem = server.signed_by(&server_key, &Issuer::new(authority, authority_key))?.pem();

        let write = |name: &str, pem: String| {
            let path = directory.join(name);
            fs::write(&path, pem).expect("the server's directory is writable");
            path
        };
        Ok(Self {
            ca: write("ca.pem", authority_pem),
            certificate: write("server.pem", server_pem),
            key: write("server.key", server_key.serialize_pem()),
            fingerprint: STANDARD.encode(Sha256::digest(server_key.subject_public_key_info())),
        })
    }
}
