//! The store that the program works on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use sessionkit::__private::AuditTrail;
use sessionkit::store::{AnyStore, Entry, EntryKey, EntryKind, ScanPage, SessionList, Store as _, StoreErrorKind};
use sessionkit::{ConnectError, EventSink, KeyRing, SessionConfig, SessionEvent, SessionManager, StoreError};

use crate::progress::Progress;
use crate::{Failure, Report};

/// The time that a call may take. An operator waits longer than a request does.
const DEADLINE: Duration = Duration::from_secs(30);

/// The number of entries in a page of a scan.
const PAGE: usize = 500;

/// The store, whose calls have a deadline.
pub(crate) struct Opened {
    store: AnyStore,
    /// The trail to which the ends of sessions are written.
    audit: Option<Arc<AuditTrail>>,
}

impl Opened {
    /// Opens the store to end sessions in it, and the audit trail beside it, if there is one.
    pub(crate) async fn open_to_end(url: &str) -> Result<Self, Failure> {
        let store = Self::open(url, false).await?;
        let audit = sessionkit::__private::open_audit(url).await.map_err(cannot_open)?;
        Ok(Self { audit: audit.map(Arc::new), ..store })
    }

    /// Waits until what was ended is in the audit trail.
    pub(crate) async fn flush_audit(&self, report: Report) -> Result<Report, Failure> {
        let Some(audit) = &self.audit else { return Ok(report) };
        audit.sink.flush().await;
        match audit.failure() {
            None => Ok(report),
            Some(failure) => Err(Failure::Store(format!(
                "{}this is not in the audit trail, which cannot be written to: {failure}",
                report.text
            ))),
        }
    }

    /// Opens the store. Its place is made only if `creates` says so.
    pub(crate) async fn open(url: &str, creates: bool) -> Result<Self, Failure> {
        if url.to_ascii_lowercase().starts_with("memory:") {
            let message = "sessions in memory are inside of the server's process, where no other program sees them";
            return Err(Failure::Usage(message.to_owned()));
        }
        match sessionkit::__private::open_store(url, creates).await {
            Ok(store) => Ok(Self { store, audit: None }),
            Err(error) => Err(cannot_open(error)),
        }
    }

    pub(crate) async fn load(&self, key: EntryKey) -> Result<Option<Entry>, Failure> {
        Self::call(self.store.load(&key)).await
    }

    /// Loads the sessions that a list names, in its order.
    pub(crate) async fn load_listed(&self, list: &SessionList) -> Result<Vec<Option<Entry>>, Failure> {
        let keys: Vec<_> = list.sessions().iter().map(|listed| EntryKey::session(listed.id)).collect();
        Self::call(self.store.load_many(&keys)).await
    }

    /// Shows every entry of a kind to `look`, some of them twice perhaps, until it returns false.
    pub(crate) async fn scan(
        &self,
        kind: EntryKind,
        progress: &mut Progress,
        mut look: impl AsyncFnMut(EntryKey, Entry) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let (mut after, mut seen) = (None, 0);
        loop {
            let ScanPage { entries, next } = Self::call(self.store.scan(kind, after.as_ref(), PAGE)).await?;
            seen += entries.len();
            progress.clear();
            for (key, entry) in entries {
                if !look(key, entry).await? {
                    return Ok(());
                }
            }
            progress.show(seen);
            let Some(next) = next else { return Ok(()) };
            after = Some(next);
        }
    }

    /// Returns the store's own figures; `None` if it has none.
    pub(crate) async fn stats(&self) -> Result<Option<sessionkit::store::StoreStats>, Failure> {
        let stats = async {
            match self.store.stats().await {
                Err(error) if error.kind() == StoreErrorKind::Unsupported => Ok(None),
                stats => stats.map(Some),
            }
        };
        Self::call(stats).await
    }

    /// Removes what the store may forget; returns how many entries.
    pub(crate) async fn sweep(&self) -> Result<usize, Failure> {
        let manager = SessionManager::new(self.store.clone(), SessionConfig::default());
        manager.sweep().await.map_err(|error| Failure::Store(format!("{error:?}")))
    }

    /// Makes a manager of a scope, which tells `sink` of what it does.
    pub(crate) fn manager(&self, scope: &str, sink: impl EventSink) -> SessionManager {
        let config = SessionConfig::builder().track_devices(true).load_deadline(DEADLINE).commit_deadline(DEADLINE);
        let config = config.build().expect("these settings fit together");
        // Once or twice in the life of the program.
        let scope = String::leak(scope.to_owned());
        SessionManager::builder(self.store.clone())
            .stored_scope(scope)
            .config(config)
            .event_sink(sink)
            .event_sink(Audited(self.audit.clone()))
            .build()
    }

    /// Makes a manager of a scope that encrypts sensitive fields, or all.
    pub(crate) fn manager_with_keys(&self, scope: &str, keys: &KeyRing, all: bool) -> SessionManager {
        let config = SessionConfig::builder().keys(keys.clone()).encrypt_all(all);
        let config =
            config.load_deadline(DEADLINE).commit_deadline(DEADLINE).build().expect("these settings fit together");
        let scope = String::leak(scope.to_owned());
        SessionManager::builder(self.store.clone()).stored_scope(scope).config(config).build()
    }

    async fn call<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        match tokio::time::timeout(DEADLINE, call).await {
            Ok(answer) => answer.map_err(|error| Failure::Store(format!("{error:?}"))),
            Err(_) => Err(Failure::Store(format!("the store did not answer within {} seconds", DEADLINE.as_secs()))),
        }
    }
}

fn cannot_open(error: ConnectError) -> Failure {
    match error {
        ConnectError::MissingFeature(feature) => Failure::Usage(format!(
            "this program knows no such store: install it with the feature `{feature}` of `sessionkit`"
        )),
        error @ ConnectError::Store(_) => Failure::Store(format!("{error:?}")),
        error => Failure::Usage(format!("{error:?}")),
    }
}

/// Writes to the audit trail, if there is one.
struct Audited(Option<Arc<AuditTrail>>);

impl EventSink for Audited {
    fn record(&self, event: &SessionEvent<'_>) {
        if let Some(audit) = &self.0 {
            audit.sink.record(event);
        }
    }
}

/// Does work, and waits for what it leaves behind: stores tell waiting pages of ended sessions beside their calls, and the
/// runtime ends with the program. Such a notice is a hint, for which nobody waits long.
pub(crate) async fn settled<T>(work: impl Future<Output = T>) -> T {
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let done = work.await;
    let told = async {
        while alive() > before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), told).await;
    done
}
