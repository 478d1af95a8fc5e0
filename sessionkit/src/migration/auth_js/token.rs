//! The cryptography of the tokens: JSON Web Encryption with a key that both sides have.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::super::aes_cbc;
use crate::formats::json;

/// A key of one secret, for the one algorithm that the system writes with it.
pub(super) enum Key {
    /// `A256CBC-HS512`: a half that authenticates, and a half that encrypts; and the thumbprint of both.
    CbcHmac { mac: Box<Hmac<Sha512>>, encryption: Zeroizing<[u8; 32]>, thumbprint: String },
    /// `A256GCM`.
    Gcm(Box<Aes256Gcm>),
}

impl Key {
    /// Makes the key of Auth.js for a cookie of this name.
    pub(super) fn auth_js(secret: &str, cookie: &str) -> Self {
        let key = derive::<64>(secret, cookie, &format!("Auth.js Generated Encryption Key ({cookie})"));
        let (authentication, encryption) = key.split_first_chunk::<32>().expect("it has 64 bytes");
        let mac = Hmac::new_from_slice(authentication).expect("a key of an HMAC may have any length").into();
        let encryption = Zeroizing::new(encryption.try_into().expect("it has 64 bytes"));
        // RFC 7638: the members of the key as JSON, in the order of their names.
        let jwk = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, *Zeroizing::new(URL_SAFE_NO_PAD.encode(*key))));
        Self::CbcHmac { mac, encryption, thumbprint: URL_SAFE_NO_PAD.encode(Sha512::digest(jwk.as_bytes())) }
    }

    /// Makes the key of NextAuth.js 4.
    pub(super) fn next_auth(secret: &str) -> Self {
        let key = derive::<32>(secret, "", "NextAuth.js Generated Encryption Key");
        Self::Gcm(Box::new(Aes256Gcm::new((&*key).into())))
    }

    /// Returns the text of a token of this key.
    pub(super) fn decrypt(&self, token: &Token<'_>) -> Option<Vec<u8>> {
        match self {
            Self::CbcHmac { mac, encryption, thumbprint } => {
                let iv = token.iv.as_slice().try_into().ok()?;
                // Half of the HMAC, and no less: the length is not the sender's to choose.
                let tag: &[u8; 32] = token.tag.as_slice().try_into().ok()?;
                let bits = u64::try_from(token.header.len()).ok()? * 8;
                let mac = Hmac::clone(mac).chain_update(token.header).chain_update(iv).chain_update(&token.text);
                mac.chain_update(bits.to_be_bytes()).verify_truncated_left(tag).ok()?;
                token.is_of("A256CBC-HS512", Some(thumbprint))?;
                aes_cbc::decrypt(encryption, iv, token.text.clone()).ok()
            }
            Self::Gcm(cipher) => {
                let nonce: &[u8; 12] = token.iv.as_slice().try_into().ok()?;
                let tag: &[u8; 16] = token.tag.as_slice().try_into().ok()?;
                let message = [&token.text[..], tag].concat();
                let payload = Payload { msg: &message, aad: token.header.as_bytes() };
                let text = cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
                token.is_of("A256GCM", None)?;
                Some(text)
            }
        }
    }
}

/// The parts of a token, of which nothing is authenticated yet.
pub(super) struct Token<'a> {
    /// The text as it stands in the token.
    header: &'a str,
    iv: Vec<u8>,
    text: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let mut parts = token.split('.');
        let mut next = || parts.next();
        let (header, encrypted_key, iv, text, tag) = (next()?, next()?, next()?, next()?, next()?);
        // The key is the one that both sides have.
        if next().is_some() || !encrypted_key.is_empty() {
            return None;
        }
        let decode = |part| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self { header, iv: decode(iv)?, text: decode(text)?, tag: decode(tag)? })
    }

    /// Checks an authenticated header: it names this algorithm, this key or none, and nothing that would ask for more work, such as
    /// a compression.
    fn is_of(&self, algorithm: &str, thumbprint: Option<&str>) -> Option<()> {
        let header = json::read(&URL_SAFE_NO_PAD.decode(self.header).ok()?).ok()?;
        let known = header.iter().all(|(name, value)| match &**name {
            "alg" => value == "dir",
            "enc" => value == algorithm,
            "kid" => thumbprint.is_some_and(|thumbprint| value == thumbprint),
            _ => false,
        });
        let complete = ["alg", "enc"].iter().all(|name| header.get(*name).is_some_and(Value::is_string));
        (known && complete).then_some(())
    }
}

fn derive<const N: usize>(secret: &str, salt: &str, info: &str) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    let extracted = Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret.as_bytes());
    extracted.expand(info.as_bytes(), &mut *key).expect("it is no longer than HKDF can make it");
    key
}
