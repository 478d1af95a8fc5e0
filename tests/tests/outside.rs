//! Operations outside of a tokio runtime: what needs one says so, and nothing panics.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use sessionkit::manual::HeaderChange;
use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionErrorKind, SessionManager};

#[derive(SessionData)]
struct Cart {
    views: u64,
}

/// Runs a future that waits for nothing, without any runtime.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_login_says_that_it_needs_tokio() {
    let manager =
        SessionManager::new(MemoryStore::new(), SessionConfig::builder().track_devices(true).build().unwrap());
    let (session, devices) = (manager.open(), manager.devices_of("ada"));
    let auth = session.auth();
    for refused in [
        now(auth.login("ada").into_future()),
        now(auth.reauthenticate().into_future()),
        now(auth.logout()),
        now(auth.rotate()),
        now(devices.end_all()),
        now(manager.end_everyone()).map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(error.kind() == SessionErrorKind::Misuse && error.to_string().contains("tokio runtime"), "{error}");
    }
    assert_eq!(now(auth.user_id()).unwrap(), None);
}

#[test]
fn a_session_that_nobody_logs_into_needs_no_tokio() {
    let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    let session = manager.open();
    now(session.checkout::<Cart>()).unwrap().views += 1;
    let changes = now(manager.close(&session, 200));
    assert!(changes.rejection.is_none());
    assert!(changes.headers.into_iter().any(|change| matches!(change, HeaderChange::Append("set-cookie", _))));
}
