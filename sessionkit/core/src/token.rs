//! The token that a client holds, and what the server keeps of it.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

const SELECTOR: usize = 16;
const SECRET: usize = 32;
/// The length of a token, in bytes.
pub(crate) const TOKEN: usize = SELECTOR + SECRET;

/// The entropy that OWASP ASVS 5.0 asks of a reference token (7.2.3), in bits.
const LEAST_BITS: u32 = 128;

/// The length of a token as text: 48 bytes in base64url without padding ([RFC 4648](https://www.rfc-editor.org/rfc/rfc4648)).
pub(crate) const TOKEN_TEXT: usize = 64;

/// Names a session: 16 random bytes. Not secret: it opens nothing and ends nothing by itself.
///
/// It is the key in the store, safe to log, and prints as 22 characters of base64url.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId([u8; SELECTOR]);

impl SessionId {
    /// Makes an id from its bytes.
    pub const fn from_bytes(bytes: [u8; SELECTOR]) -> Self {
        Self(bytes)
    }

    /// The bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; SELECTOR] {
        &self.0
    }
}

impl SessionId {
    /// Reads an id as it is displayed, from a form for example. Anything but 22 characters of base64url is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; SELECTOR];
        // The decoder wants room for what the length of the text may become.
        let length = (text.len() == 22).then(|| URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok())??;
        (length == SELECTOR).then_some(Self(bytes))
    }
}

/// As it is displayed.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As it is displayed, for a form that names a device.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::SessionId;
///
/// #[derive(serde::Deserialize)]
/// struct LogOut {
///     device: SessionId,
/// }
///
/// let form: LogOut = serde_json::from_str(r#"{ "device": "AAAAAAAAAAAAAAAAAAAAAA" }"#)?;
/// assert_eq!(form.device, SessionId::from_bytes([0; 16]));
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.as_bytes()).ok_or_else(|| D::Error::custom("not the id of a session"))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 22];
        let length = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).expect("16 bytes are 22 characters");
        f.write_str(str::from_utf8(&text[..length]).expect("base64 is text"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// The SHA-256 of a token's secret and its scope: all that a record keeps of it.
///
/// Compared in constant time; prints as `SecretHash(..)`.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Makes a hash from its bytes, as a store read them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash, for a store to write.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// The token that a client presents to prove that a session is its own: the session's id and a 32-byte secret.
///
/// Prints as `Token(<id>, ..)`; the secret leaves it only as the value of a cookie.
#[derive(Clone)]
pub struct Token {
    id: SessionId,
    secret: [u8; SECRET],
}

/// The number of new ids that are tried. A random one is free; if so many are not, the source repeats itself.
pub(crate) const NEW_IDS: usize = 8;

impl Token {
    /// Makes a new token with the bytes that `source` gives.
    pub(crate) fn new(source: &dyn TokenSource) -> Self {
        let mut bytes = [0; TOKEN];
        source.fill(&mut bytes);
        Self::from_bytes(&bytes)
    }

    /// Makes a new secret for the same session.
    pub(crate) fn rotate(id: SessionId, source: &dyn TokenSource) -> Self {
        let mut secret = [0; SECRET];
        source.fill(&mut secret);
        Self { id, secret }
    }

    /// Reads a token from the value of a cookie. Anything but 64 characters of base64url is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TOKEN_TEXT {
            return None;
        }
        let mut bytes = [0; TOKEN];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == TOKEN).then(|| Self::from_bytes(&bytes))
    }

    pub(crate) fn from_bytes(bytes: &[u8; TOKEN]) -> Self {
        let (selector, rest) = bytes.split_at(SELECTOR);
        let mut token = Self { id: SessionId([0; SELECTOR]), secret: [0; SECRET] };
        token.id.0.copy_from_slice(selector);
        token.secret.copy_from_slice(rest);
        token
    }

    /// The id of the session that the token claims to open.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The hash that the record keeps: SHA-256 over the scope's name, a zero byte and the secret. So a token of one scope
    /// opens nothing in another, even if both keep their sessions in one store.
    pub fn secret_hash(&self, scope: &str) -> SecretHash {
        let (mut bytes, scope) = ([0; 128], scope.as_bytes());
        let length = scope.len() + 1 + SECRET;
        let Some(room) = bytes.get_mut(..length) else {
            let hash = Sha256::new().chain_update(scope).chain_update([0]).chain_update(self.secret);
            return SecretHash(hash.finalize().into());
        };
        // In one piece, which is faster.
        room[..scope.len()].copy_from_slice(scope);
        room[scope.len() + 1..].copy_from_slice(&self.secret);
        SecretHash(Sha256::digest(room).into())
    }

    /// The token as the value of a cookie. This is the secret: it goes to the client and nowhere else.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.to_bytes())
    }

    pub(crate) fn to_bytes(&self) -> [u8; TOKEN] {
        let mut bytes = [0; TOKEN];
        bytes[..SELECTOR].copy_from_slice(&self.id.0);
        bytes[SELECTOR..].copy_from_slice(&self.secret);
        bytes
    }
}

/// Compares the secrets in constant time.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && equal(&self.secret, &other.secret)
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, ..)", self.id)
    }
}

/// Gives the random bytes of tokens.
///
/// The default is the operating system's generator, [`OsRandom`].
pub trait TokenSource: Send + Sync + 'static {
    /// Fills `bytes` with bytes that nobody can predict.
    fn fill(&self, bytes: &mut [u8]);

    /// Returns how many of the 256 bits of a token's secret nobody can predict. All of them by default; fewer than
    /// 128 are refused.
    fn bits(&self) -> u32 {
        SECRET as u32 * 8
    }
}

/// Returns why tokens of this source could be guessed, as far as that is known.
pub(crate) fn weakness(source: &dyn TokenSource) -> Option<String> {
    if source.bits() < LEAST_BITS {
        return Some(format!(
            "the token source has {} unpredictable bits: use one of at least {LEAST_BITS}",
            source.bits()
        ));
    }
    let mut sample = [0; DRAWS * TOKEN];
    sample.chunks_exact_mut(TOKEN).for_each(|token| source.fill(token));
    let words = |read: fn([u8; 8]) -> u64| {
        let (words, _) = sample.as_chunks::<8>();
        words.iter().map(|word| read(*word)).collect::<Vec<_>>()
    };
    for words in [words(u64::from_le_bytes), words(u64::from_be_bytes)] {
        // A source that fills too little, or always the same, or that is seeded anew for each token.
        if has_repeated(words.iter().copied()) {
            return Some("the token source repeats its bytes: use a cryptographically secure generator".to_owned());
        }
        // From one word to the next, and from one token to the next.
        let counts = |step| has_repeated(words.iter().zip(&words[step..]).map(|(word, next)| next.wrapping_sub(*word)));
        if counts(1) || counts(TOKEN / 8) {
            return Some("the token source counts: use a cryptographically secure generator".to_owned());
        }
    }
    // Of two random secrets about half of the bits differ.
    let secrets = || sample.chunks_exact(TOKEN).map(|token| &token[SELECTOR..]);
    let changed = |(one, next): (&[u8], &[u8])| one.iter().zip(next).map(|(one, next)| (one ^ next).count_ones()).sum();
    let least = secrets().zip(secrets().skip(1)).map(changed).min().unwrap_or(0u32);
    (least < source.bits() / 4).then(|| {
        format!(
            "the token source changes only {least} bits from one secret to the next: use a cryptographically secure generator"
        )
    })
}

/// The tokens that a source has to make before it is trusted. A secure source fails by chance less often than once in 10^14
/// times.
const DRAWS: usize = 8;

fn has_repeated(words: impl Iterator<Item = u64>) -> bool {
    let mut seen = HashSet::new();
    words.into_iter().any(|word| !seen.insert(word))
}

/// The operating system's cryptographically secure random number generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl TokenSource for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has random bytes");
    }
}

/// Compares in constant time, eight bytes at once.
fn equal(one: &[u8; SECRET], other: &[u8; SECRET]) -> bool {
    let words = |bytes: &[u8; SECRET]| {
        let (chunks, _) = bytes.as_chunks::<8>();
        [0, 1, 2, 3].map(|word| u64::from_ne_bytes(chunks[word]))
    };
    let same = words(one).into_iter().zip(words(other)).map(|(one, other)| one.ct_eq(&other));
    same.fold(Choice::from(1), |all, same| all & same).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_cookie() {
        let token = Token::new(&OsRandom);
        let text = token.expose();
        assert_eq!(text.len(), TOKEN_TEXT);
        let parsed = Token::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed, token);
        assert_eq!(parsed.secret_hash("Main"), token.secret_hash("Main"));
        assert_ne!(parsed.secret_hash("Office"), token.secret_hash("Main"));
    }

    #[test]
    fn a_secret_is_hashed_behind_the_name_of_its_scope_however_long() {
        let token = Token { id: SessionId([1; SELECTOR]), secret: [7; SECRET] };
        for length in [0, 4, 95, 96, 300] {
            let scope = "s".repeat(length);
            let whole = [scope.as_bytes(), &[0], &token.secret].concat();
            assert_eq!(token.secret_hash(&scope), SecretHash(Sha256::digest(whole).into()), "{length}");
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_displayed() {
        let id = Token::new(&OsRandom).id();
        let text = id.to_string();
        assert_eq!(SessionId::parse(text.as_bytes()), Some(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
        for wrong in ["", &text[1..], &format!("{text}A"), &format!("{}*", &text[1..]), &Token::new(&OsRandom).expose()]
        {
            assert_eq!(SessionId::parse(wrong.as_bytes()), None, "{wrong}");
            let refused = serde_json::from_str::<SessionId>(&format!("\"{wrong}\"")).unwrap_err().to_string();
            assert!(refused.contains("not the id of a session"), "{refused}");
        }
    }

    #[test]
    fn anything_else_is_not_a_token() {
        let token = Token::new(&OsRandom).expose();
        let wrong = [String::new(), "a".repeat(63), "a".repeat(65), "a".repeat(10_000), "*".repeat(64), "=".repeat(64)];
        for text in wrong.iter().chain([&token.replacen(&token[..1], "\0", 1), &format!(" {}", &token[1..])]) {
            assert!(Token::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    /// Fills each token with what a function makes of its number, over random bytes.
    struct Made<F>(std::sync::atomic::AtomicU64, F);

    impl<F: Fn(u64, &mut [u8]) + Send + Sync + 'static> TokenSource for Made<F> {
        fn fill(&self, bytes: &mut [u8]) {
            OsRandom.fill(bytes);
            (self.1)(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed), bytes);
        }
    }

    #[test]
    fn a_source_that_can_be_guessed_is_found() {
        assert_eq!(weakness(&OsRandom), None);
        let weak = |reason: &str, make: fn(u64, &mut [u8])| {
            let found = weakness(&Made(Default::default(), make)).unwrap_or_default();
            assert!(found.contains(reason) && found.contains("use a"), "{reason}: {found:?}");
        };
        weak("repeats", |_, bytes| bytes.fill(7));
        // It goes well twice.
        weak("repeats", |number, bytes| {
            if number >= 2 {
                bytes.fill(7)
            }
        });
        weak("counts", |number, bytes| {
            for (at, word) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                *word = (6 * number + at as u64).to_le_bytes();
            }
        });
        weak("counts", |number, bytes| bytes[..8].copy_from_slice(&number.to_be_bytes()));
        weak("counts", |number, bytes| bytes[40..].copy_from_slice(&(3 * number).to_le_bytes()));
        weak("changes only", |number, bytes| {
            // A permutation of the number in each word: neither the same nor counting.
            for (at, word) in bytes[SELECTOR..].as_chunks_mut::<8>().0.iter_mut().enumerate() {
                *word = (1u64 << (at * 11)).wrapping_add((number * number) << (at * 3)).to_le_bytes();
            }
        });
    }

    #[test]
    fn printing_shows_no_secret() {
        let token = Token::new(&OsRandom);
        let printed = format!("{token:?} {:?}", token.secret_hash("Main"));
        assert!(!printed.contains(&token.expose()[22..]));
        assert!(printed.contains(&token.id().to_string()));
    }
}
