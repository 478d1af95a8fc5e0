//! Handlers that wait for the end of a session.

use std::time::Duration;

use sessionkit::SessionManager;
use tokio::task::JoinHandle;

/// An interval of looking that is so long that an end is learnt by a notice or not at all.
pub const NEVER: Duration = Duration::from_secs(100 * 60 * 60);

/// Logs a user in, and waits in a task for the end of that session.
pub async fn watch(manager: &SessionManager, user: &str) -> JoinHandle<()> {
    let session = manager.open();
    session.auth().login(user).await.expect("the store answers");
    let handle = session.handle().await.expect("there is a session");
    assert!(manager.close(&session, 200).await.rejection.is_none());
    tokio::spawn(async move { handle.ended().await.expect("the end is learnt") })
}
