//! Ending sessions, as an application does: with its events, and off the lists of their users.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use sessionkit::store::{EntryKey, EntryKind, Record};
use sessionkit::{EventKind, EventSink, MainScope, SessionError, SessionEvent, SessionId, SessionScope as _};

use crate::progress::Progress;
use crate::store::Opened;
use crate::text::counted;
use crate::{Failure, Report};

/// The largest number of ended sessions that are named one by one.
const NAMED: usize = 1000;

/// Ends one session, in whatever scope it is.
pub(crate) async fn one(store: &Opened, id: SessionId) -> Result<Report, Failure> {
    let entry = store.load(EntryKey::session(id)).await?;
    let absent = || Failure::NotFound(format!("there is no session {id}"));
    let entry = entry.ok_or_else(absent)?;
    let record = Record::from_bytes(entry.shared_bytes().clone());
    let scope = record.map_or_else(|_| MainScope::NAME.to_owned(), |record| record.header().scope.to_string());
    let ended = store.manager(&scope, Ended::default()).end_session(id).await.map_err(failed)?;
    if ended { Ok(report(&[id])) } else { Err(absent()) }
}

/// Ends the sessions of a user: those of the list first, then those that began without one.
pub(crate) async fn of_user(store: &Opened, user: &str, scope: &str) -> Result<Report, Failure> {
    let ended = Ended::default();
    let manager = store.manager(scope, ended.clone());
    // A login that is under way from here on fails.
    manager.devices_of(user).end_all().await.map_err(failed)?;
    let mut progress = Progress::new("sessions looked at");
    let looked = store.scan(EntryKind::Session, &mut progress, async |key, entry| {
        let (id, record) = (key.session_id(), Record::from_bytes(entry.shared_bytes().clone()));
        if let (Some(id), Ok(record)) = (id, record)
            && record.header().owner().is_some_and(|owner| **owner == *user)
            && record.header().scope == scope
        {
            manager.end_session(id).await.map_err(failed)?;
        }
        Ok(true)
    });
    looked.await?;
    Ok(report(&ended.ids()))
}

/// Ends the sessions of all users of a scope.
pub(crate) async fn of_everyone(store: &Opened, scope: &str) -> Result<Report, Failure> {
    let ended = Ended::default();
    let manager = store.manager(scope, ended.clone());
    let done = with_progress(manager.end_everyone(), ended.clone()).await;
    let count = done.map_err(|error| {
        let count = ended.ids().len();
        Failure::Store(format!("after {count} ended sessions: {error:?}; run it again"))
    })?;
    Ok(Report { value: json!({ "ended": count }), text: format!("{}\n", sessions(count)) })
}

/// Shows how many sessions have ended while they do.
async fn with_progress<T>(work: impl Future<Output = T>, ended: Ended) -> T {
    let showing = tokio::spawn(async move {
        let mut progress = Progress::new("sessions ended");
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            progress.show(ended.ids().len());
        }
    });
    let done = work.await;
    showing.abort();
    // It clears its line when it is gone.
    let _ = showing.await;
    done
}

/// Reports the sessions that have ended: how many, and which ones if they are not too many.
fn report(ids: &[SessionId]) -> Report {
    let named = if ids.len() <= NAMED { ids } else { &[] };
    let mut text = format!("{}\n", sessions(ids.len()));
    for id in named {
        let _ = writeln!(text, "{id}");
    }
    let sessions: Vec<_> = named.iter().map(SessionId::to_string).collect();
    Report { value: json!({ "ended": ids.len(), "sessions": sessions }), text }
}

fn sessions(count: usize) -> String {
    format!("ended {}", counted(count, "session"))
}

fn failed(error: SessionError) -> Failure {
    Failure::Store(format!("{error:?}"))
}

/// Notes the sessions that a manager ended. Clones note together.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<Vec<SessionId>>>);

impl Ended {
    fn ids(&self) -> MutexGuard<'_, Vec<SessionId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Ended {
    fn record(&self, event: &SessionEvent<'_>) {
        if let (EventKind::Revoked { .. }, Some(id)) = (event.kind(), event.session()) {
            self.ids().push(id);
        }
    }
}
