//! The effect of use on a session besides its fields: it moves the deadline, and renews the token on a schedule.

use crate::config::{CookieMaxAge, Rolling};
use crate::engine::Engine;
use crate::engine::open::Current;
use crate::event::EventKind;
use crate::record::delta::HeaderOp;
use crate::record::header::Header;
use crate::request::RequestSession;
use crate::request::state::CookieChange;
use crate::time::Timestamp;
use crate::token::Token;

/// The work that is due when a request that used the session ends. It joins the commit of the request, or is one of its own.
#[derive(Default)]
pub(crate) struct Upkeep {
    /// A correction of times of a clock that was ahead, a touch, and what a token needs that is new to its client, or old.
    ops: Vec<HeaderOp>,
    /// True if the end of the session moves, which its cookie follows.
    touches: bool,
    /// The token that the client gets if the renewal happens.
    renewed: Option<Box<Token>>,
}

impl Upkeep {
    /// Finds out what is due. A token that the answer itself carries is not used yet.
    pub(crate) fn due(engine: &Engine, current: &Current, now: Timestamp, is_on_its_way: bool) -> Self {
        let header = current.record.header();
        let mut due = Self::without_response(engine, current, now);
        if header.is_expired(now) || is_on_its_way || current.is_former() {
            return due;
        }
        if current.secret == header.secret && header.former.is_some() {
            due.ops.push(HeaderOp::EndFormer { if_current: header.secret });
        } else if current.secret == header.secret && header.previous.is_some_and(|previous| previous.until.is_none()) {
            let until = now.saturating_add(engine.settings().renew_grace);
            due.ops.push(HeaderOp::EndPrevious { if_current: header.secret, at: now, until });
        } else if renewal_is_due(engine, current, now) {
            let token = Token::rotate(current.id(), engine.tokens());
            let secret = token.secret_hash(engine.scope());
            due.ops.push(HeaderOp::Renew { if_current: header.secret, secret, at: now });
            due.renewed = Some(Box::new(token));
        }
        due
    }

    /// Finds out what is due where nobody sees the response: the session is as if it were not used.
    pub(crate) fn unseen(current: &Current) -> Self {
        let ops = current.stored.iter().map(|_| HeaderOp::Correct).collect();
        Self { ops, ..Self::default() }
    }

    /// Finds out what is due where no response can carry a new token to the client.
    pub(crate) fn without_response(engine: &Engine, current: &Current, now: Timestamp) -> Self {
        let header = current.record.header();
        let mut due = Self::unseen(current);
        if !header.is_expired(now)
            && let Some(touch) = touch(engine, header, now)
        {
            due.ops.push(touch);
            due.touches = true;
        }
        due
    }

    /// Notes that the same commit gives the session another end.
    pub(crate) fn moves_deadline(&mut self) {
        self.touches = true;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    pub(crate) fn ops(&self) -> impl Iterator<Item = HeaderOp> {
        self.ops.iter().cloned()
    }

    /// Returns the change of the client's cookie after the commit. It sets the new token if this renewal happened, and not
    /// another one. It sets the client's own token again if a touch moved the end of its cookie.
    pub(crate) fn cookie(&self, session: &RequestSession, current: &Current, stored: &Header) -> Option<CookieChange> {
        let engine = &session.shared.engine;
        let set = |token: &Token| Some(CookieChange::Set { token: token.clone(), ends: stored.deadline() });
        let renewed = self.renewed.as_deref();
        if let Some(token) = renewed.filter(|token| token.secret_hash(engine.scope()) == stored.secret) {
            session.report_of(token.id(), Some(current.record.header()), EventKind::Renewed);
            return set(token);
        }
        let settings = engine.settings();
        let follows = settings.cookie_max_age != CookieMaxAge::Session || stored.has_own_lifetime();
        if self.touches && follows && stored.secret == current.secret { set(&current.token) } else { None }
    }
}

/// The touch that is due, if one is.
fn touch(engine: &Engine, header: &Header, now: Timestamp) -> Option<HeaderOp> {
    let settings = engine.settings();
    // A login may have a shorter lifetime than the settings, and must not end in use.
    let throttle = settings.touch_after.min(header.ttl / 2);
    if now.saturating_duration_since(header.last_seen) < throttle {
        return None;
    }
    let idle_deadline = match settings.rolling {
        Rolling::Off => return None,
        Rolling::Reset => now.saturating_add(settings.login_lifetime(Some(header.ttl)).0),
        Rolling::Extend(by) => header.idle_deadline.saturating_add(by),
    };
    Some(HeaderOp::Touch { last_seen: now, idle_deadline })
}

/// Returns whether the token is old enough to be replaced, and nothing speaks against it.
fn renewal_is_due(engine: &Engine, current: &Current, now: Timestamp) -> bool {
    let (header, settings) = (current.record.header(), engine.settings());
    let Some(renew_after) = settings.renew_after else { return false };
    match header.previous {
        // Requests with the token before it may still be under way.
        Some(previous) if previous.until.is_some_and(|until| now < until) => false,
        // The client came with the previous token, long after the new one was sent: it never got that one.
        Some(previous) if previous.until.is_none() => {
            now.saturating_duration_since(previous.renewed) >= settings.renew_again_after()
        }
        Some(previous) => now.saturating_duration_since(previous.renewed) >= renew_after,
        None => now.saturating_duration_since(header.authenticated.unwrap_or(header.created)) >= renew_after,
    }
}
