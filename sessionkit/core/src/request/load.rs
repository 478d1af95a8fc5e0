//! Loading the session of a request: once, and for whom.

use crate::config::OnBadCookie;
use crate::engine::Engine;
use crate::engine::adopting::{Adopted, Asker};
use crate::engine::deadline::Deadline;
use crate::engine::hooks::{Hooked, MissingReason};
use crate::engine::open::{Current, Opened};
use crate::engine::session::UnreadableSession;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::front::Unreadable;
use crate::request::RequestSession;
use crate::request::state::{CookieChange, State, Verdict};
use crate::store::error::StoreError;
use crate::wire::cookie::{BadCookie, Candidates};

impl RequestSession {
    /// Loads the session for a caller who asks for it.
    pub(crate) async fn load(&self) -> Result<(), SessionError> {
        self.look_up().await?;
        self.check_version()?;
        if !self.shared.engine.may_refuse() {
            return Ok(());
        }
        Box::pin(self.look_for_refusal()).await?;
        self.state().verdict.ask()
    }

    /// Loads the session for a login or a logout, which nobody is refused.
    pub(crate) async fn look_up(&self) -> Result<(), SessionError> {
        self.shared.loaded.get_or_init(|| self.look_up_once()).await.clone()
    }

    /// Makes sure that no session is taken for none because a newer release wrote its record.
    pub(crate) fn check_version(&self) -> Result<(), SessionError> {
        let newer = {
            let state = self.state();
            let is_newer = |session: &&UnreadableSession| session.why != Unreadable::Damaged;
            state.unreadable.iter().find(is_newer).filter(|_| state.current.is_none()).map(|session| session.why)
        };
        newer.map_or(Ok(()), |why| Err(self.fail(StoreError::unreadable(why).into())))
    }

    async fn look_up_once(&self) -> Result<(), SessionError> {
        let Some(presented) = self.shared.candidates.get() else { return Ok(()) };
        match self.shared.hooked() {
            // Boxed, since most applications have no hooks, and futures are copied around.
            Some(hooked) => Box::pin(self.ask_and_open(hooked, presented)).await,
            None => self.open(presented, &mut self.shared.engine.load_deadline()).await,
        }
    }

    /// Asks the application about the cookies of a request, and opens what they become.
    async fn ask_and_open(&self, hooked: &Hooked, presented: &Candidates) -> Result<(), SessionError> {
        let engine = &self.shared.engine;
        let mut deadline = engine.load_deadline();
        let looked_at = engine.hooks.load_cookies(hooked, engine, &mut deadline).await;
        match looked_at.map_err(|error| self.fail(error))? {
            None => self.open(presented, &mut deadline).await,
            Some(Ok(candidates)) => self.open(&candidates, &mut deadline).await,
            Some(Err(rejection)) => {
                self.state().verdict.refuse(SessionError::answered(rejection));
                Ok(())
            }
        }
    }

    async fn open(&self, candidates: &Candidates, deadline: &mut Deadline) -> Result<(), SessionError> {
        let engine = &self.shared.engine;
        let mut opened = engine.open_candidates(candidates, deadline).await.map_err(|error| self.fail(error.into()))?;
        if engine.migration.is_some() {
            // Boxed, since few applications migrate, and futures are copied around.
            let adopted = Box::pin(self.open_foreign(&mut opened)).await.unwrap_or_else(|error| {
                // Who asks learns so. A login needs nobody else's store.
                self.report_failure(&error);
                let mut state = self.state();
                state.foreign_failure = Some(error.clone());
                state.verdict.refuse(error);
                None
            });
            if let Some(current) = adopted {
                let mut state = self.state();
                state.cookie =
                    CookieChange::Set { token: current.token.clone(), ends: current.record.header().deadline() };
                state.current = Some(current);
                return Ok(());
            }
        }
        self.report_opened(&opened, candidates);
        if let Some(hooked) = self.shared.hooked().filter(|_| opened.current.is_none()) {
            hooked.set_reason(opened.missing_reason(candidates));
        }
        let nobody = opened.current.is_none() && opened.ambiguous.is_empty();
        let mut state = self.state();
        state.current = opened.current;
        state.ambiguous = opened.ambiguous;
        state.overtaken = opened.overtaken.filter(|_| nobody);
        state.expired = opened.expired.filter(|_| nobody);
        state.unreadable = opened.unreadable;
        if nobody
            && engine.settings().on_bad_cookie == OnBadCookie::Reject
            && let Some(fault) = candidates.fault()
        {
            state.verdict.refuse(SessionError::bad_cookie(fault));
        }
        Ok(())
    }

    /// Opens the session of another system, if the request has none of ours, or a visitor's: the one that it became, or becomes
    /// now. If that does not open, it is to the request as if it had come with its token.
    async fn open_foreign(&self, opened: &mut Opened) -> Result<Option<Current>, SessionError> {
        self.compare_foreign(opened.current.as_ref()).await?;
        // What a later release wrote is there all the same.
        if !opened.ambiguous.is_empty() || !opened.unreadable.is_empty() {
            return Ok(None);
        }
        let asker = match &opened.current {
            Some(current) if current.record.header().user_id.is_some() => return Ok(None),
            // They may have logged in at the other system meanwhile.
            Some(_) => Asker::Visitor,
            None if opened.overtaken.is_some() => Asker::Overtaken,
            None => Asker::Nobody,
        };
        let Some(Adopted { opened: adopted, system }) = self.adopt(asker).await? else { return Ok(None) };
        if adopted.current.is_none() {
            self.report(EventKind::NotAdopted { system, reason: "ended here", detail: "" });
        }
        if adopted.current.is_none() && opened.current.is_none() {
            opened.overtaken = adopted.overtaken.or(opened.overtaken.take());
            opened.expired = opened.expired.take().or(adopted.expired);
            opened.unreadable = adopted.unreadable;
        }
        Ok(adopted.current)
    }

    /// Tells of cookies that open nothing, and of those that open too much.
    fn report_opened(&self, opened: &Opened, candidates: &Candidates) {
        if let Some(reason) = self.shared.engine.jar.as_ref().and_then(|jar| jar.take_undecryptable()) {
            self.report(EventKind::Undecryptable { key: "*", reason });
        }
        for session in &opened.unreadable {
            let error = StoreError::unreadable(session.why);
            self.report_of(session.id, None, EventKind::StoreUnavailable { error: format_args!("{error:?}") });
        }
        if !opened.ambiguous.is_empty() {
            return self.report(EventKind::Ambiguous);
        }
        if let (None, Some(overtaken)) = (&opened.current, &opened.overtaken) {
            let reason = "replaced by a login or a rotation a moment ago";
            return self.report_of(overtaken.token.id(), None, EventKind::Rejected { reason });
        }
        match (&opened.current, &opened.expired, candidates.fault()) {
            (Some(_), ..) | (None, None, None) => {}
            (None, Some(expired), _) => {
                self.report_of(expired.id(), Some(expired.record.header()), EventKind::Expired);
            }
            (None, None, Some(BadCookie::Malformed)) => self.report(EventKind::Rejected { reason: "malformed" }),
            (None, None, Some(BadCookie::Unknown)) => self.report(EventKind::Rejected { reason: "unknown or expired" }),
        }
    }

    /// Asks the application about a request without a session.
    async fn look_for_refusal(&self) -> Result<(), SessionError> {
        let Some(hooked) = self.shared.hooked() else { return Ok(()) };
        let decided = {
            let state = self.state();
            state.current.is_some() || !matches!(state.verdict, Verdict::Admitted)
        };
        if !decided {
            let engine = &self.shared.engine;
            let answer = engine.hooks.missing_session(hooked, &mut engine.load_deadline()).await;
            let answer = answer.map_err(|error| self.fail(error))?;
            if let Some(answer) = answer {
                let head = hooked.head();
                let inside = answer.location().and_then(|url| url.strip_prefix(&*engine.settings().path_prefix));
                let error = match inside.filter(|url| head.is_sent_to(url, "")) {
                    Some(url) => SessionError::missing_session_leads_here(url),
                    None => SessionError::answered(answer),
                };
                self.state().verdict.refuse(error);
            }
        }
        Ok(())
    }
}

impl Opened {
    /// Returns why a request with these cookies has no session.
    fn missing_reason(&self, candidates: &Candidates) -> MissingReason {
        if !self.ambiguous.is_empty() {
            return MissingReason::SeveralSessions;
        }
        if self.expired.is_some() || self.overtaken.is_some() {
            return MissingReason::EndedSession;
        }
        match candidates.fault() {
            None => MissingReason::NoCookie,
            Some(BadCookie::Malformed) => MissingReason::MalformedToken,
            Some(BadCookie::Unknown) => MissingReason::UnknownToken,
        }
    }
}

impl Engine {
    /// Returns whether a caller who asks for the session may get an answer instead.
    fn may_refuse(&self) -> bool {
        self.settings().on_bad_cookie == OnBadCookie::Reject || !self.hooks.is_empty() || self.migration.is_some()
    }
}

impl State {
    /// The reason why the handler's answer cannot stand: something failed, or a caller who asked was refused.
    pub(crate) fn objection(&self) -> Option<&SessionError> {
        self.failure.as_ref().or(self.unread.as_ref()).or(self.verdict.objection())
    }
}
