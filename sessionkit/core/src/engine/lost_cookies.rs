//! Cookies that clients do not send back, because they are `Secure` and the application is asked over plain http.

use std::sync::atomic::{AtomicU8, Ordering};

/// No session has begun over plain http.
const NONE: u8 = 0;
/// One has begun, and no cookie has come back.
const ONE: u8 = 1;
/// A cookie came back, or the log has said that none does.
const SETTLED: u8 = 2;

/// The search for cookies that do not come back. It ends with the first one that does.
pub(crate) struct LostCookies(AtomicU8);

impl LostCookies {
    pub(crate) fn new(cookie_is_secure: bool) -> Self {
        Self(AtomicU8::new(if cookie_is_secure { NONE } else { SETTLED }))
    }

    /// Returns whether it is not known yet if cookies come back.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) != SETTLED
    }

    /// Takes note of a request that came with a cookie.
    pub(crate) fn came_back(&self) {
        if self.is_open() {
            self.0.store(SETTLED, Ordering::Relaxed);
        }
    }

    /// Takes note of a session that begins over plain http on a loopback host, for a client without a cookie; returns whether
    /// it is the second one, and so worth a warning.
    pub(crate) fn begun(&self) -> bool {
        let next = |state| if state == SETTLED { None } else { Some(state + 1) };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) == Ok(ONE)
    }
}
