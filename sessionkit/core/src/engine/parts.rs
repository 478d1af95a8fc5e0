//! The parts that an engine is made of.

use std::sync::Arc;

use crate::config::SessionConfig;
use crate::engine::adopting::Adopts;
use crate::engine::denial::Denials;
use crate::engine::extensions::Extensions;
use crate::engine::hooks::Hooks;
use crate::engine::in_cookies::InCookies;
use crate::engine::user::DynLoader;
use crate::event::{EventSink, TracingSink};
use crate::store::Store;
use crate::store::dynamic::DynStore;
use crate::time::{Clock, SystemClock};
use crate::token::{OsRandom, TokenSource};

/// Everything that an application chooses: an engine is made of it at once.
pub(crate) struct EngineParts {
    pub(crate) store: Arc<dyn DynStore>,
    pub(crate) config: SessionConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Arc<dyn TokenSource>,
    pub(crate) sinks: Vec<Arc<dyn EventSink>>,
    pub(crate) hooks: Hooks,
    pub(crate) user_loader: Option<Arc<dyn DynLoader>>,
    pub(crate) extensions: Extensions,
    pub(crate) denials: Denials,
    pub(crate) in_cookies: Option<InCookies>,
    pub(crate) migration: Option<Arc<dyn Adopts>>,
}

impl EngineParts {
    /// A store, and the defaults of everything else.
    pub(crate) fn new(store: impl Store) -> Self {
        Self::over(Arc::new(store))
    }

    pub(crate) fn over(store: Arc<dyn DynStore>) -> Self {
        Self {
            store,
            config: SessionConfig::default(),
            clock: Arc::new(SystemClock),
            tokens: Arc::new(OsRandom),
            sinks: vec![Arc::new(TracingSink)],
            hooks: Hooks::default(),
            user_loader: None,
            extensions: Extensions::default(),
            denials: Denials::default(),
            in_cookies: None,
            migration: None,
        }
    }
}
