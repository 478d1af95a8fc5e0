//! A page that notices when its session ends: what the server sends it.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use sessionkit::manual::SessionHandle;
use tokio::sync::watch;

/// How often the session is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tells streams that the shop closes. Clones tell the same ones.
#[derive(Clone)]
pub(crate) struct Closing(watch::Sender<bool>);

impl Closing {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}

/// Server-sent events: one when the session has ended, and then no more. Until then nothing but signs of life. It ends
/// when the shop closes, too: then the browser asks again.
pub(crate) fn events(
    handle: SessionHandle,
    closing: &Closing,
) -> impl Stream<Item = Result<String, Infallible>> + use<> {
    let state = Some((handle, closing.0.subscribe()));
    unfold(state, |state| async {
        let (mut handle, mut closing) = state?;
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return None,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        match handle.reload().await {
            Ok(false) => Some((Ok("event: ended\ndata:\n\n".to_owned()), None)),
            // That the store cannot say is not the end.
            Ok(true) | Err(_) => Some((Ok(":\n\n".to_owned()), Some((handle, closing)))),
        }
    })
}
