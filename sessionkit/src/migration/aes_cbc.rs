//! AES-256-CBC with the padding of PKCS #7, whose result proves nothing: what is decrypted was authenticated before.

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use sessionkit_core::InvalidCookie;

/// The bytes of an initialisation vector.
pub(super) const IV: usize = 16;

/// Decrypts a text whose authentication was verified.
pub(super) fn decrypt(key: &[u8; 32], iv: &[u8; IV], mut text: Vec<u8>) -> Result<Vec<u8>, InvalidCookie> {
    let cipher = Decryptor::<Aes256>::new(key.into(), iv.into());
    let length = cipher.decrypt_padded::<Pkcs7>(&mut text).map_err(|_| InvalidCookie)?.len();
    text.truncate(length);
    Ok(text)
}

/// Encrypts a text, which is still to be authenticated.
#[cfg(feature = "iron-session")]
pub(super) fn encrypt(key: &[u8; 32], iv: &[u8; IV], text: &[u8]) -> Vec<u8> {
    use cbc::Encryptor;
    use cbc::cipher::BlockModeEncrypt as _;

    let mut encrypted = vec![0; (text.len() / IV + 1) * IV];
    encrypted[..text.len()].copy_from_slice(text);
    let done = Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded::<Pkcs7>(&mut encrypted, text.len());
    done.expect("there is room for the padding");
    encrypted
}
