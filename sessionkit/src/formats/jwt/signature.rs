//! The signature of a token: a JSON Web Signature in its compact form.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sessionkit_core::{FormatError, InvalidCookie};
use sha2::Sha256;

use super::super::Secrets;
use super::{Ed25519Key, Ed25519PublicKey};

/// The keys of one algorithm.
#[derive(Clone)]
pub(in super::super) enum Keys {
    /// The first one signs.
    Hs256(Arc<[Hmac<Sha256>]>),
    Ed25519 {
        signing: Option<Arc<SigningKey>>,
        verifying: Arc<[Ed25519PublicKey]>,
    },
}

impl Keys {
    pub(in super::super) fn hs256(secrets: &Secrets) -> Self {
        let mac = |secret: &str| Hmac::new_from_slice(secret.as_bytes());
        let macs = secrets.iter().map(|secret| mac(secret).expect("a key of an HMAC may have any length"));
        Self::Hs256(macs.collect())
    }

    pub(super) fn ed25519(key: &Ed25519Key, further: impl IntoIterator<Item = Ed25519PublicKey>) -> Self {
        let verifying = std::iter::once(key.public_key()).chain(further).collect();
        Self::Ed25519 { signing: Some(Arc::clone(&key.0)), verifying }
    }

    pub(super) fn ed25519_verifying(keys: impl IntoIterator<Item = Ed25519PublicKey>) -> Self {
        Self::Ed25519 { signing: None, verifying: keys.into_iter().collect() }
    }

    /// Returns the name of the algorithm, as headers have it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Ed25519 { .. } => "EdDSA",
        }
    }

    /// Returns the number of keys that verify.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Hs256(macs) => macs.len(),
            Self::Ed25519 { verifying, .. } => verifying.len(),
        }
    }

    /// Makes a token of a header and claims, which are JSON.
    ///
    /// # Errors
    /// Fails when there is no key that signs.
    pub(in super::super) fn sign(&self, header: &str, claims: &str) -> Result<String, FormatError> {
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = match self {
            // There is a first secret: a list without one is refused.
            Self::Hs256(macs) => URL_SAFE_NO_PAD.encode(macs[0].clone().chain_update(&token).finalize().into_bytes()),
            Self::Ed25519 { signing: Some(key), .. } => URL_SAFE_NO_PAD.encode(key.sign(token.as_bytes()).to_bytes()),
            Self::Ed25519 { signing: None, .. } => return Err(FormatError::new("there is no key to sign with")),
        };
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }

    /// Returns the position of the key that signed a token.
    pub(in super::super) fn verify(&self, token: &Token<'_>) -> Result<usize, InvalidCookie> {
        let signature = decode(token.signature)?;
        let found = match self {
            Self::Hs256(macs) => macs.iter().position(|mac| {
                let mac = mac.clone().chain_update(token.signed);
                mac.verify_slice(&signature).is_ok()
            }),
            Self::Ed25519 { verifying, .. } => {
                let signature = Signature::from_slice(&signature).map_err(|_| InvalidCookie)?;
                let verifies =
                    |key: &Ed25519PublicKey| key.0.verify_strict(token.signed.as_bytes(), &signature).is_ok();
                verifying.iter().position(verifies)
            }
        };
        found.ok_or(InvalidCookie)
    }
}

/// The three parts of a token.
pub(in super::super) struct Token<'a> {
    /// The header, a dot, and the claims.
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    pub(in super::super) fn parse(cookie: &'a str) -> Result<Self, InvalidCookie> {
        let (signed, signature) = cookie.rsplit_once('.').ok_or(InvalidCookie)?;
        let (header, claims) = signed.split_once('.').ok_or(InvalidCookie)?;
        // A further dot, as an encrypted token has it, is in the claims, and no base64.
        Ok(Self { signed, header, claims, signature })
    }

    pub(in super::super) fn header(&self) -> Result<Vec<u8>, InvalidCookie> {
        decode(self.header)
    }

    pub(in super::super) fn claims(&self) -> Result<Vec<u8>, InvalidCookie> {
        decode(self.claims)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, InvalidCookie> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidCookie)
}
