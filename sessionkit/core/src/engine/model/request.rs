//! One request of the model: what it knows, and how it waits for the store.

use crate::engine::document::{Document, Refusal};
use crate::record::front::Generation;
use crate::record::list::{ListEpoch, SessionList};
use crate::store::key::EntryKey;
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

use super::scenario::{Cookie, Kind, Scenario};
use super::store::{Answer, Call};
use super::variants::Variant;

/// The name of the scope.
pub(super) const SCOPE: &str = "Main";

/// A request runs from its beginning to the first call that has no answer yet: each time that it hears an answer it runs
/// again, with one answer more. So its steps are written as the engine's functions are, with `?` for `.await`, and its
/// state is the list of the answers.
pub(super) type Run<T> = Result<T, Call>;

/// Stands for an answer that did not come in time: the call may have been made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unknown;

/// The reason why a change was not stored.
#[derive(Debug)]
pub(super) enum NotStored {
    Refused(Refusal),
    Unknown,
}

impl From<Unknown> for NotStored {
    fn from(_: Unknown) -> Self {
        Self::Unknown
    }
}

/// An answer, and when it came.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    pub(super) at: Timestamp,
}

/// A token of the model. Its numbers are what the model tells sessions and secrets apart by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Token {
    pub(super) id: u8,
    pub(super) secret: u8,
}

impl Token {
    /// Makes something that names a session and opens none.
    pub(super) fn naming(session: SessionId) -> Self {
        Self { id: session.as_bytes()[0], secret: 0 }
    }

    pub(super) fn session(self) -> SessionId {
        SessionId::from_bytes([self.id; 16])
    }

    pub(super) fn key(self) -> EntryKey {
        EntryKey::session(self.session())
    }

    pub(super) fn hash(self) -> SecretHash {
        SecretHash::from_bytes([self.secret; 32])
    }
}

/// A token that a client was given.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Issued {
    pub(super) token: Token,
    /// The generation under which it opens its session.
    pub(super) generation: u32,
    /// Names the login, or the visit, that it is the token of: rotations and renewals hand it on.
    pub(super) origin: u8,
    /// The origin whose tokens of older generations it has replaced.
    pub(super) replaces: Option<u8>,
}

/// The end of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum End {
    Done,
    /// The request had no session to do it with.
    Nothing,
    /// The session had ended, or was rotated meanwhile.
    Refused,
    /// A login was told that the sessions of its user were ended.
    Revoked,
    Unknown,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// The cookie of the response.
    pub(super) issued: Option<Issued>,
    /// The session that a logout has ended, and whose it was.
    pub(super) ended: Option<(u8, Option<String>)>,
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        Self { end, issued: None, ended: None }
    }
}

impl Outcome {
    pub(super) fn issued(issued: Issued) -> Self {
        Self { end: End::Done, issued: Some(issued), ended: None }
    }
}

impl From<Unknown> for Outcome {
    fn from(_: Unknown) -> Self {
        End::Unknown.into()
    }
}

/// One run of a request, over the answers that it has heard.
pub(super) struct Request<'a> {
    scenario: &'a Scenario,
    pub(super) number: usize,
    /// The token that its client sends.
    pub(super) cookie: Option<Issued>,
    heard: std::slice::Iter<'a, Heard>,
    now: Timestamp,
    drawn: u8,
}

impl<'a> Request<'a> {
    /// Runs a request until it waits for an answer that it has not heard, or ends.
    pub(super) fn run(
        scenario: &'a Scenario,
        number: usize,
        cookie: Option<Issued>,
        began: Timestamp,
        heard: &'a [Heard],
    ) -> Run<Outcome> {
        let mut request = Self { scenario, number, cookie, heard: heard.iter(), now: began, drawn: 0 };
        match scenario.requests[number].0 {
            Kind::Write { renews } => request.write(true, renews),
            Kind::Renew => request.write(false, true),
            Kind::Rotate => request.rotate(),
            Kind::Login(user) => request.login(user),
            Kind::Logout => request.logout(),
            Kind::Revoke(user) => request.revoke(user),
            Kind::RevokeEveryone => request.revoke_everyone(),
        }
    }

    pub(super) fn ask(&mut self, call: Call) -> Run<Answer> {
        let Some(heard) = self.heard.next() else { return Err(call) };
        self.now = heard.at;
        Ok(heard.answer.clone())
    }

    /// Mirrors `Engine::insist`: the call is made again while its answer is lost. Also returns whether one was.
    pub(super) fn insist(
        &mut self,
        looks: bool,
        mut call: impl FnMut(&mut Self, bool) -> Call,
    ) -> Run<Result<(Answer, bool), Unknown>> {
        let mut was_lost = false;
        loop {
            let call = call(self, was_lost);
            match self.ask(call)? {
                Answer::Lost if looks => was_lost = true,
                Answer::Lost | Answer::Late => return Ok(Err(Unknown)),
                answer => return Ok(Ok((answer, was_lost))),
            }
        }
    }

    pub(super) fn load<D: Document>(&mut self, key: EntryKey) -> Run<Option<D>> {
        match self.ask(Call::Load(key))? {
            Answer::Loaded(found) => Ok(found.map(|found| found.read())),
            answer => unreachable!("no answer to a load: {answer:?}"),
        }
    }

    /// Returns the list of a user, or an empty one, as `Engine::load_list` does.
    pub(super) fn load_list(&mut self, user: &str) -> Run<SessionList> {
        let list = self.load(EntryKey::session_list(SCOPE, user))?;
        Ok(list.unwrap_or_else(|| SessionList::new(SCOPE, user)))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn is(&self, variant: Variant) -> bool {
        self.scenario.variant == Some(variant)
    }

    /// Returns a number that no other request has, and this one had not before.
    fn draw(&mut self) -> u8 {
        self.drawn += 1;
        (self.number as u8 + 1) * 16 + self.drawn - 1
    }

    pub(super) fn random(&mut self) -> u32 {
        self.draw().into()
    }

    pub(super) fn new_epoch(&mut self) -> ListEpoch {
        ListEpoch([self.draw(); 8])
    }

    /// Makes a token, of this session or of a new one.
    pub(super) fn new_token(&mut self, session: Option<Token>) -> Token {
        let secret = self.draw();
        Token { id: session.map_or(secret, |token| token.id), secret }
    }

    /// Names the login of this request.
    pub(super) fn own_origin(&self) -> u8 {
        100 + self.number as u8
    }

    pub(super) fn presents_cookie(&self) -> Option<Issued> {
        debug_assert!(self.cookie.is_some() == (self.scenario.requests[self.number].1 != Cookie::None));
        self.cookie
    }
}

/// Returns the generation that an issued token has.
pub(super) fn number(generation: Generation) -> u32 {
    generation.number()
}
