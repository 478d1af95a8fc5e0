//! The keys of an application: one that encrypts, and those before it.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::KEY_ID;

/// The variable of the environment that holds the keys.
const VARIABLE: &str = "SESSION_KEYS";

/// The least and the most bytes of a key.
pub(super) const LEAST: usize = 32;
const MOST: usize = 64;

/// The keys that encrypt session fields at rest, and sessions in cookies: the active one, and previous ones, which only
/// decrypt.
///
/// The program `sessionkit keygen` makes a key; so does `openssl rand -base64 32`. A ring is made of keys as text, with spaces,
/// commas or line ends between them. The first one is active:
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{KeyRing, SessionConfig};
///
/// # let (new, old) = (KeyRing::generate_key(), KeyRing::generate_key());
/// # let keys = format!("{new} {old}");
/// // Usually from the environment, or from a file: `KeyRing::from_env()?`, `KeyRing::from_file(path)?`.
/// let keys: KeyRing = keys.parse()?;
/// let config = SessionConfig::builder().keys(keys).build()?;
/// # let _ = config;
///
/// assert!("your-secret-key".parse::<KeyRing>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A key is 32 to 64 random bytes, as base64 or as hexadecimal digits. What is no such key, and what does not look random, is
/// refused. Keys are wiped from memory with the ring; it prints their ids alone.
#[derive(Clone)]
pub struct KeyRing(Arc<[Key]>);

/// A key, expanded for its use.
struct Key {
    id: KeyId,
    fields: Aes256GcmSiv,
    cookies: Aes256GcmSiv,
}

impl KeyRing {
    /// Makes a ring of one new key, for tests and for data that need not outlive the process.
    pub fn generate() -> Self {
        Self(Arc::new([Key::new(&*random())]))
    }

    /// Makes a new key, as text to keep: 32 bytes of the operating system's random generator, in base64url.
    pub fn generate_key() -> String {
        loop {
            let bytes = random();
            let text = URL_SAFE_NO_PAD.encode(*bytes);
            // One in a million looks made up.
            if weakness(&text, &*bytes).is_none() {
                return text;
            }
        }
    }

    /// Reads the keys from the variable `SESSION_KEYS`: the keys themselves, or `file:` and the path of a file.
    ///
    /// # Errors
    /// Fails when the variable is not set, or when one of its keys cannot be used.
    pub fn from_env() -> Result<Self, KeyError> {
        let text = std::env::var(VARIABLE).map(Zeroizing::new);
        let text = text.map_err(|_| KeyError::new(format!("the variable {VARIABLE} is not set: {ADVICE}")))?;
        Self::from_setting(&text)
    }

    /// Reads the keys from a file, which may have a key on each line, and comments behind `#`.
    ///
    /// # Errors
    /// Fails when the file cannot be read, or when one of its keys cannot be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text
            .map_err(|error| KeyError::new(format!("the file of keys {} cannot be read: {error}", path.display())))?;
        // Editors of some systems begin a file with a mark.
        text.trim_start_matches('\u{feff}').parse()
    }

    /// Reads the keys from the text of a setting: the keys, or `file:` and a path.
    pub(crate) fn from_setting(text: &str) -> Result<Self, KeyError> {
        match text.trim().strip_prefix("file:") {
            Some(path) => Self::from_file(path.trim_start()),
            None => text.parse(),
        }
    }

    /// Returns the keys of a process that was given none, for development: they end with the process.
    pub(crate) fn of_process() -> Self {
        static KEYS: OnceLock<KeyRing> = OnceLock::new();
        KEYS.get_or_init(Self::generate).clone()
    }

    /// Returns the id of the key that encrypts.
    pub fn active_id(&self) -> KeyId {
        self.0[0].id
    }

    /// Returns the ids of all keys, the active one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|key| key.id)
    }

    pub(super) fn active(&self) -> (KeyId, &Aes256GcmSiv) {
        (self.0[0].id, &self.0[0].fields)
    }

    /// Returns whether the active key encrypted a value.
    pub(crate) fn is_active(&self, stored: &[u8]) -> bool {
        super::key_id(stored) == Some(self.active_id())
    }

    pub(super) fn active_for_cookies(&self) -> (KeyId, &Aes256GcmSiv) {
        (self.0[0].id, &self.0[0].cookies)
    }

    pub(super) fn key(&self, id: KeyId) -> Option<&Aes256GcmSiv> {
        self.find(id).map(|key| &key.fields)
    }

    pub(super) fn for_cookies(&self, id: KeyId) -> Option<&Aes256GcmSiv> {
        self.find(id).map(|key| &key.cookies)
    }

    fn find(&self, id: KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

/// Reads keys with spaces, commas or line ends between them.
impl FromStr for KeyRing {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let lines = text.lines().filter_map(|line| line.split('#').next());
        let words = lines.flat_map(|line| line.split([' ', '\t', ','])).filter(|word| !word.is_empty());
        let mut keys: Vec<Key> = Vec::new();
        for (at, word) in words.enumerate() {
            let error = |problem: String| KeyError::new(format!("key {} {problem}: {ADVICE}", at + 1));
            let key = Key::new(&read(word).map_err(error)?);
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyError::new(format!("key {} is there twice: remove one of them", at + 1)));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyError::new(format!("there is no key: {ADVICE}"))) } else { Ok(Self(keys.into())) }
    }
}

/// Shows the ids of the keys.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous: Vec<KeyId> = self.ids().skip(1).collect();
        f.debug_struct("KeyRing").field("active", &self.active_id()).field("previous", &previous).finish()
    }
}

impl Key {
    fn new(bytes: &[u8]) -> Self {
        let id = derive("id", bytes);
        let id = KeyId(*id.first_chunk::<KEY_ID>().expect("a hash is longer"));
        let cipher = |label| Aes256GcmSiv::new((&*derive(label, bytes)).into());
        Self { id, fields: cipher("fields"), cookies: cipher("cookies") }
    }
}

/// The name of a key, which stands beside what it encrypted. Not secret; it prints as eight hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct KeyId(pub(super) [u8; KEY_ID]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The reason why keys cannot be used. It says what to do, and quotes no key.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyError(String);

impl KeyError {
    pub(super) fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shows the text, which a `main` that returns the error prints.
impl fmt::Debug for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for KeyError {}

pub(super) const ADVICE: &str = "make one with `sessionkit keygen`, or with `openssl rand -base64 32`";

/// Derives what is used from a key, so that each use has a key of its own. The key is random, so a hash is enough.
fn derive(label: &str, key: &[u8]) -> Zeroizing<[u8; 32]> {
    let hash = Sha256::new().chain_update("sessionkit ").chain_update(label).chain_update([0]).chain_update(key);
    Zeroizing::new(hash.finalize().into())
}

fn random() -> Zeroizing<[u8; LEAST]> {
    let mut bytes = Zeroizing::new([0; LEAST]);
    getrandom::fill(&mut *bytes).expect("the operating system gives random bytes");
    bytes
}

/// Reads one key.
///
/// # Errors
/// Fails with what is wrong with it.
fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let unknown = || match text.starts_with(['/', '.', '~']) {
        true => "looks like a path, which goes behind `file:`",
        false => "is neither base64 nor hexadecimal digits",
    };
    let bytes = Zeroizing::new(decode(text).ok_or_else(unknown)?);
    if bytes.len() < LEAST {
        return Err(format!("has {} bytes, and needs {LEAST} at least", bytes.len()));
    }
    if bytes.len() > MOST {
        return Err(format!("has {} bytes, more than {MOST}", bytes.len()));
    }
    weakness(text, &bytes).map_or(Ok(bytes), |weakness| Err(format!("is not random, {weakness}")))
}

/// Decodes hexadecimal digits, or base64 of either alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ANY_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    if is_hex(text) {
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        return pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    }
    let alphabets = [&URL_SAFE, &STANDARD];
    alphabets.iter().find_map(|alphabet| GeneralPurpose::new(alphabet, ANY_PADDING).decode(text).ok())
}

/// No random key in base64 has hexadecimal digits alone.
fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns a sign that a key is not random, if it has one.
pub(super) fn weakness(text: &str, bytes: &[u8]) -> Option<&'static str> {
    const MADE_UP: [&str; 10] = [
        "secret",
        "password",
        "passphrase",
        "changeme",
        "change-me",
        "change_me",
        "replace",
        "default",
        "example",
        "insecure",
    ];
    let repeats = |period: usize| bytes.iter().zip(&bytes[period..]).all(|(byte, later)| byte == later);
    if (1..=bytes.len() / 2).any(repeats) {
        return Some("it repeats itself");
    }
    let step = bytes[1].wrapping_sub(bytes[0]);
    if bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step) {
        return Some("it counts");
    }
    if bytes.iter().collect::<HashSet<_>>().len() < LEAST / 2 {
        return Some("it has few different bytes");
    }
    let lower = text.to_ascii_lowercase();
    let count = |is_of: fn(&u8) -> bool| text.bytes().filter(is_of).count();
    let (upper, lower_case) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    // One random key of 1,500 has no digit; capitals are then half of its letters, and few of those of a text.
    let fewest = if count(u8::is_ascii_digit) > 0 { 1 } else { (upper + lower_case) / 4 };
    let is_mixed = upper.min(lower_case) >= fewest.max(1);
    let is_made_up = MADE_UP.iter().any(|word| lower.contains(word)) || !(is_mixed || is_hex(text));
    if is_made_up || bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return Some("it is a text");
    }
    None
}
