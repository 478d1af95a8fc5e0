//! A value in a form that only pages of this session have.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::CsrfRefusal;
use crate::engine::open::Current;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::front::Generation;
use crate::record::reserved::CSRF_SEED;
use crate::request::RequestSession;
use crate::request::overlay::Overlay;
use crate::request::state::State;
use crate::token::SecretHash;

/// The header that a script sends the token in.
pub(super) const HEADER: &str = "x-csrf-token";

const SEED: usize = 16;

type Seed = [u8; SEED];

/// A value for forms that only pages of this session have: with it a form proves that this application made it for this
/// person.
///
/// Put [`hidden_field`](Self::hidden_field) into the form, and [`verify`](Self::verify) what comes back. A login, a
/// step-up, a rotation and a logout end all tokens that were handed out before; a scheduled renewal of the session's own
/// token does not. A visitor who has no session gets an anonymous one, and its cookie, when a value is asked for.
///
/// All values of a session are one, masked differently each time, so that compression of the page reveals nothing of it
/// (the BREACH attack). It opens nothing: a finder cannot use the session.
pub struct CsrfToken {
    session: RequestSession,
}

impl CsrfToken {
    /// The name of the [hidden field](Self::hidden_field).
    pub const FIELD: &'static str = "csrf_token";

    /// A value for a form, or for a script that sends it in the header `X-CSRF-Token`: 43 characters of base64url.
    pub fn value(&self) -> String {
        let (seed, mut masked) = (self.seed(), [0; 2 * SEED]);
        let (mask, hidden) = masked.split_at_mut(SEED);
        self.session.shared.engine.tokens().fill(mask);
        hidden.iter_mut().zip(seed).zip(mask).for_each(|((hidden, seed), mask)| *hidden = seed ^ *mask);
        URL_SAFE_NO_PAD.encode(masked)
    }

    /// A field for a form: `<input type="hidden" name="csrf_token" value="..">`. The value needs no escaping.
    pub fn hidden_field(&self) -> String {
        format!(r#"<input type="hidden" name="{}" value="{}">"#, Self::FIELD, self.value())
    }

    /// Makes sure that a form was made for this session.
    ///
    /// # Errors
    /// Fails with 403 when it was not, or was before the last login.
    pub fn verify(&self, presented: &str) -> Result<(), SessionError> {
        if is_valid(&self.session, presented.as_bytes()) {
            return Ok(());
        }
        self.session.report(EventKind::Csrf { reason: CsrfRefusal::Token.as_str() });
        let refused = SessionError::csrf();
        refused.note_scope(self.session.shared.engine.scope());
        Err(refused)
    }

    /// The seed that is kept, or else one that every request with this session comes to by itself.
    fn seed(&self) -> Seed {
        let engine = &self.session.shared.engine;
        let (kept, derived, generation) = {
            let state = self.session.state();
            let current = state.current.as_ref();
            let generation = current.map_or(Generation::default(), |current| current.record.header().generation);
            (kept(&self.session, &state), current.and_then(|current| derived(current).next()), generation)
        };
        if let Some(seed) = kept {
            return seed;
        }
        let seed = derived.unwrap_or_else(|| {
            let mut random = [0; SEED];
            engine.tokens().fill(&mut random);
            random
        });
        // The seed of a session whose token is never renewed is there without being kept.
        if derived.is_none() || engine.settings().renew_after.is_some() {
            let value = format!("{}:{}", generation.number(), URL_SAFE_NO_PAD.encode(seed)).into_bytes();
            self.session.change(CSRF_SEED, |_| true, |state| state.pending.put(CSRF_SEED, Some(value)));
        }
        seed
    }
}

/// Shows nothing of the value.
impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfToken").finish_non_exhaustive()
    }
}

impl RequestSession {
    /// A value for forms that only pages of this session have.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn csrf_token(&self) -> Result<CsrfToken, SessionError> {
        self.load().await?;
        Ok(CsrfToken { session: self.clone() })
    }
}

/// Returns whether a value was handed out for this session, which is loaded.
pub(super) fn is_valid(session: &RequestSession, presented: &[u8]) -> bool {
    let Ok(masked) = URL_SAFE_NO_PAD.decode(presented) else { return false };
    let Ok(masked) = <[u8; 2 * SEED]>::try_from(masked) else { return false };
    let (mask, hidden) = masked.split_at(SEED);
    let seed: Vec<u8> = mask.iter().zip(hidden).map(|(mask, hidden)| mask ^ hidden).collect();
    let state = session.state();
    let derived = state.current.iter().flat_map(derived);
    let seeds = derived.chain(kept(session, &state));
    seeds.fold(false, |valid, own| valid | bool::from(own[..].ct_eq(&seed)))
}

/// The seed that the session keeps, if it is one of its present generation.
fn kept(session: &RequestSession, state: &State) -> Option<Seed> {
    let current = state.current.as_ref();
    let overlay = Overlay::new(state.stored(&session.shared.engine), &state.pending);
    let kept = str::from_utf8(overlay.value(CSRF_SEED)?).ok()?;
    let (generation, seed) = kept.split_once(':')?;
    let present = current.map_or(Generation::default(), |current| current.record.header().generation);
    let seed = URL_SAFE_NO_PAD.decode(seed).ok()?;
    Seed::try_from(seed).ok().filter(|_| generation.parse() == Ok(present.number()))
}

/// The seeds that requests come to by themselves: that of the secret, and that of the one which a renewal replaced, since
/// two first forms may be made before and after it.
fn derived(current: &Current) -> impl Iterator<Item = Seed> + use<> {
    let header = current.record.header();
    let secrets = [Some(header.secret), header.previous.map(|previous| previous.secret)];
    secrets.into_iter().flatten().map(derive)
}

fn derive(secret: SecretHash) -> Seed {
    let mut hash = Sha256::new();
    hash.update(b"sessionkit csrf\0");
    hash.update(secret.as_bytes());
    let mut seed = [0; SEED];
    seed.copy_from_slice(&hash.finalize()[..SEED]);
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_keeps_its_value_across_releases() {
        let secret = SecretHash::from_bytes([7; 32]);
        assert_eq!(URL_SAFE_NO_PAD.encode(derive(secret)), "lZ4qziYlMYHBDK8-91EnoA");
        // The plain hash of the same: it must not be the seed.
        assert_ne!(derive(secret)[..], Sha256::digest(secret.as_bytes())[..SEED]);
    }
}
