//! The store of one request whose session lies in its cookie.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::packing::{Packed, pack, unpack};
use super::{Form, LARGEST_COOKIE, LOGIN_NAME, LoginMark};
use crate::config::set_cookie;
use crate::encryption::Undecryptable;
use crate::encryption::cookie::{open_cookie, seal_cookie};
use crate::engine::Engine;
use crate::engine::document::Document as _;
use crate::engine::in_cookies::InCookies;
use crate::error::SessionError;
use crate::record::Record;
use crate::record::front::{Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, Store};
use crate::time::Timestamp;
use crate::token::{SessionId, Token};
use crate::wire::cookie::{Candidates, CookieValues, chunk_name};

/// The time for which a request may be under way that has opened a session before it was ended.
const UNDER_WAY: Duration = Duration::from_secs(60 * 60);

/// The sessions that the cookies of one request hold, as the store of the request.
pub(crate) struct Jar {
    /// The engine of the manager, whose store has the revocations.
    base: Arc<Engine>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: Vec<Held>,
    /// The number of cookies that the client sent for one session.
    chunks: usize,
    /// The reason why a cookie could not be decrypted.
    undecryptable: Option<Undecryptable>,
    /// True if the next write is a login.
    is_login: bool,
}

struct Held {
    id: SessionId,
    mark: LoginMark,
    entry: Entry,
    /// The session as the client's cookie holds it.
    opened: Option<Entry>,
    /// True if another key sealed the cookie.
    has_old_key: bool,
}

impl Held {
    fn is_changed(&self) -> bool {
        self.has_old_key || self.opened.as_ref() != Some(&self.entry)
    }

    /// Returns whether only the use of the session is new, which may be lost.
    fn is_only_used(&self) -> bool {
        let records = self.opened.as_ref().map(Record::read).zip(Some(Record::read(&self.entry)));
        let Some((Ok(opened), Ok(record))) = records else { return false };
        opened.header().generation == record.header().generation
            && opened.fields().as_bytes() == record.fields().as_bytes()
    }
}

impl Jar {
    pub(crate) fn new(base: Arc<Engine>) -> Self {
        Self { base, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the cookies of a request.
    pub(crate) fn candidates(&self, values: CookieValues) -> Candidates {
        let mut candidates = Candidates::presented(values.presented);
        // Without chunks, another cookie may well have such a name; only a session says which are its own.
        let uses_chunks = self.in_cookies().is_some_and(|in_cookies| in_cookies.most_chunks > 1);
        let mut chunks = if uses_chunks { values.named } else { 0 };
        for (value, count) in values.values {
            let token = self.open(&value);
            if token.is_some() {
                chunks = chunks.max(count);
            }
            candidates.add_token(token);
        }
        self.state().chunks = chunks;
        candidates
    }

    /// Opens the value of a cookie: returns the token of its session.
    pub(crate) fn open(&self, value: &[u8]) -> Option<Token> {
        let (Packed { token, mark, entry }, is_current) = self.unpacked(value)?;
        let id = token.id();
        let held = Held { id, mark, opened: Some(entry.clone()), entry, has_old_key: !is_current };
        let mut state = self.state();
        match state.sessions.iter_mut().find(|other| other.id == id) {
            // A cookie may be there twice, after a change of its path for example.
            Some(other) if is_newer(&held.entry, &other.entry) => *other = held,
            Some(_) => {}
            None => state.sessions.push(held),
        }
        Some(token)
    }

    fn unpacked(&self, value: &[u8]) -> Option<(Packed, bool)> {
        let (engine, in_cookies) = (&self.base, self.in_cookies()?);
        match &in_cookies.form {
            Form::Sealed(keys) => {
                let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
                match open_cookie(keys, &engine.cookie_place(), &sealed) {
                    Ok((packed, is_current)) => Some((unpack(&packed, engine.scope())?, is_current)),
                    Err(undecryptable) => {
                        self.state().undecryptable = Some(undecryptable);
                        None
                    }
                }
            }
            Form::Shared(sharing) => {
                let value = str::from_utf8(value).ok()?;
                Some((sharing.read(value, engine.scope(), engine.settings(), engine.now())?, true))
            }
        }
    }

    fn in_cookies(&self) -> Option<&InCookies> {
        self.base.in_cookies.as_ref()
    }

    /// Takes the reason why a cookie could not be decrypted, if it says something to an operator.
    pub(crate) fn take_undecryptable(&self) -> Option<&'static str> {
        let undecryptable = self.state().undecryptable.take();
        undecryptable.filter(|why| *why != Undecryptable::Altered).map(Undecryptable::as_str)
    }

    /// Returns the record of a session if the client's cookie holds another one.
    pub(crate) fn changed(&self, id: SessionId) -> Option<Record> {
        let state = self.state();
        let held = state.sessions.iter().find(|held| held.id == id && held.is_changed())?;
        Record::read(&held.entry).ok()
    }

    /// Writes the `Set-Cookie` headers that give a session to the client; none if there is no such session any more.
    ///
    /// # Errors
    /// Fails when it does not fit into its cookies, or when the format cannot write something in it. If the session was only
    /// used, it stays as it is instead.
    pub(crate) fn set(&self, token: &Token, max_age: Option<Duration>) -> Result<Vec<String>, SessionError> {
        let (settings, chunks) = (self.base.settings(), self.state().chunks);
        let Some(in_cookies) = self.in_cookies() else { return Ok(Vec::new()) };
        let Some(value) = self.sealed(token, in_cookies)? else { return Ok(Vec::new()) };
        let name = &settings.cookie_name;
        let whole = set_cookie::write(settings, name, &value, max_age);
        let mut headers = Vec::new();
        if whole.len() <= LARGEST_COOKIE {
            headers.push(whole);
        } else {
            let last = chunk_name(name, in_cookies.most_chunks);
            let room = LARGEST_COOKIE.saturating_sub(set_cookie::write(settings, &last, "9.", max_age).len()).max(1);
            let count = value.len().div_ceil(room);
            if count > in_cookies.most_chunks {
                if self.state().sessions.iter().any(|held| held.id == token.id() && held.is_only_used()) {
                    return Ok(Vec::new());
                }
                return Err(SessionError::cookie_too_large(whole.len(), in_cookies.most_chunks * LARGEST_COOKIE));
            }
            let pieces = value.as_bytes().chunks(room).map(|piece| String::from_utf8_lossy(piece));
            for (number, piece) in pieces.enumerate() {
                let piece = if number == 0 { format!("{count}.{piece}") } else { piece.into_owned() };
                headers.push(set_cookie::write(settings, &chunk_name(name, number), &piece, max_age));
            }
        }
        // What is left of a longer session would otherwise go on being sent.
        headers.extend((headers.len()..chunks).map(|number| set_cookie::remove(settings, &chunk_name(name, number))));
        Ok(headers)
    }

    /// Writes the `Set-Cookie` headers that remove the cookies of a session behind the first.
    pub(crate) fn remove_chunks(&self) -> Vec<String> {
        let (settings, chunks) = (self.base.settings(), self.state().chunks);
        (1..chunks).map(|number| set_cookie::remove(settings, &chunk_name(&settings.cookie_name, number))).collect()
    }

    fn sealed(&self, token: &Token, in_cookies: &InCookies) -> Result<Option<String>, SessionError> {
        let (engine, state) = (&self.base, self.state());
        let Some(held) = state.sessions.iter().find(|held| held.id == token.id()) else { return Ok(None) };
        let record = Record::read(&held.entry).map_err(StoreError::unreadable)?;
        if record.header().secret != token.secret_hash(engine.scope()) {
            return Ok(None);
        }
        Ok(Some(match &in_cookies.form {
            Form::Sealed(keys) => {
                let packed = pack(token, held.mark, &record);
                URL_SAFE_NO_PAD.encode(seal_cookie(keys, &engine.cookie_place(), &packed))
            }
            Form::Shared(sharing) => {
                let written = sharing.write(token, held.mark, &record, engine.now());
                written.map_err(SessionError::cookie_format)?
            }
        }))
    }

    pub(super) fn note_login(&self) {
        self.state().is_login = true;
    }

    /// Returns what is held of a session, with the mark of its login.
    fn held(&self, id: SessionId) -> Option<(Entry, LoginMark)> {
        let state = self.state();
        let held = state.sessions.iter().find(|held| held.id == id)?;
        Some((held.entry.clone(), held.mark))
    }

    /// Returns what is held of a session, unless it has been revoked.
    async fn unless_revoked(&self, id: SessionId) -> Result<Option<Entry>, StoreError> {
        let Some((entry, mark)) = self.held(id) else { return Ok(None) };
        if let Some((revocations, owner)) = self.revocations(&entry)
            && revocations.is_ended(&self.base, &owner, mark.noted_as(id), mark.epoch).await?
        {
            return Ok(None);
        }
        Ok(Some(entry))
    }

    /// Returns where the sessions of an entry's user are revoked, if that is anywhere.
    fn revocations(&self, entry: &Entry) -> Option<(&dyn super::Revocations, Arc<str>)> {
        let revocations = self.in_cookies()?.revocations.as_deref()?;
        Some((revocations, owner(entry)?))
    }

    /// Returns when the last copy of a session ends. Copies of its cookie that were used later, or whose user has proved again
    /// who they are, have later deadlines than this one.
    fn latest_end(&self, entry: &Entry) -> Timestamp {
        let (settings, now) = (self.base.settings(), self.base.now());
        let record = Record::read(entry).ok();
        let header = record.as_ref().map(Record::header);
        let (_, lifetime) = settings.login_lifetime(header.map(|header| header.ttl));
        let from_now = now.saturating_add(lifetime).saturating_add(UNDER_WAY);
        header.and_then(|header| header.absolute_deadline).map_or(from_now, |deadline| deadline.max(from_now))
    }

    /// Returns the mark of the login in a session that is written. A login ends the one before it.
    async fn mark(
        &self,
        id: SessionId,
        before: Option<&(Entry, LoginMark)>,
        entry: &Entry,
    ) -> Result<LoginMark, StoreError> {
        let is_login = self.state().is_login;
        let Some((revocations, user)) = self.revocations(entry) else { return Ok(LoginMark::default()) };
        let before = before.and_then(|(before, mark)| Some((before, owner(before)?, mark)));
        if let Some((_, same, mark)) = &before
            && *same == user
            && !is_login
        {
            return Ok(**mark);
        }
        let mut name = [0; LOGIN_NAME];
        self.base.tokens().fill(&mut name);
        let login = LoginMark { epoch: revocations.epoch(&self.base, &user).await?, name };
        if let Some((before, owner, mark)) = before {
            revocations.end(&self.base, &owner, mark.noted_as(id), self.latest_end(before)).await?;
        }
        Ok(login)
    }
}

impl Store for Jar {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        match key.session_id() {
            Some(id) => self.unless_revoked(id).await,
            None => Ok(None),
        }
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let Some(id) = key.session_id() else { return Ok(InsertOutcome::Inserted) };
        let mark = self.mark(id, None, entry).await?;
        let mut state = self.state();
        if state.sessions.iter().any(|held| held.id == id) {
            return Ok(InsertOutcome::Taken);
        }
        state.sessions.push(Held { id, mark, entry: entry.clone(), opened: None, has_old_key: false });
        state.is_login = false;
        Ok(InsertOutcome::Inserted)
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let Some(id) = key.session_id() else { return Ok(ReplaceOutcome::Absent) };
        let before = self.held(id);
        let mark = self.mark(id, before.as_ref(), entry).await?;
        let mut state = self.state();
        let Some(session) = state.sessions.iter_mut().find(|held| held.id == id) else {
            return Ok(ReplaceOutcome::Absent);
        };
        if !session.entry.has_revision(held) {
            return Ok(ReplaceOutcome::Changed(session.entry.clone()));
        }
        (session.entry, session.mark) = (entry.clone(), mark);
        // Not before: a try whose answer was lost is made again.
        state.is_login = false;
        Ok(ReplaceOutcome::Replaced)
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let Some(id) = key.session_id() else { return Ok(RemoveOutcome::Absent) };
        let Some((entry, mark)) = self.held(id) else { return Ok(RemoveOutcome::Absent) };
        if !entry.may_be_removed(held) {
            return Ok(RemoveOutcome::Changed(entry));
        }
        if let Some((revocations, owner)) = self.revocations(&entry) {
            revocations.end(&self.base, &owner, mark.noted_as(id), self.latest_end(&entry)).await?;
        }
        self.state().sessions.retain(|held| held.id != id);
        Ok(RemoveOutcome::Removed)
    }
}

fn owner(entry: &Entry) -> Option<Arc<str>> {
    Record::read(entry).ok()?.header().owner().cloned()
}

fn is_newer(one: &Entry, other: &Entry) -> bool {
    match (one.revision(), other.revision()) {
        (Some(one), Some(other)) => one.writes_since(other) > 0,
        _ => false,
    }
}
