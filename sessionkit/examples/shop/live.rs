//! A page that notices when its session ends: what the server sends it.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use futures_util::stream::{once, unfold};
use futures_util::{Stream, StreamExt as _};
use sessionkit::manual::SessionHandle;
use tokio::sync::watch;

/// The interval of the comments that show both sides that the other is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

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

    fn begun(&self) -> impl Future<Output = ()> + use<> {
        let mut closing = self.0.subscribe();
        async move { drop(closing.wait_for(|closing| *closing).await) }
    }
}

/// Server-sent events without an event: what matters is that they end, with the session or with the shop.
///
/// The browser asks again a second later, and the guard decides what that was: a browser that has a new token, after a login
/// in another tab say, goes on, and one that is logged out is refused.
pub(crate) fn events(
    handle: &SessionHandle,
    closing: &Closing,
) -> impl Stream<Item = Result<&'static str, Infallible>> + use<> {
    let signs = unfold((), |()| async {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        Some((":\n\n", ()))
    });
    let events = once(ready("retry: 1000\n\n")).chain(signs);
    events.take_until(handle.ended()).take_until(closing.begun()).map(Ok)
}
