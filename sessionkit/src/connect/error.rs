//! The reason why no store can be opened.

use std::error::Error;
use std::fmt;

use super::address;

/// A store cannot be opened: from [`connect`](crate::connect()). Its text says what to change, and never shows the URL.
#[non_exhaustive]
pub enum ConnectError {
    /// The text does not begin with the scheme of a store.
    UnknownScheme,
    /// The store needs this feature of `sessionkit`, which is off.
    MissingFeature(&'static str),
    /// The URL cannot be used, for this reason.
    InvalidUrl(String),
    /// The store failed: its server does not answer or refuses, or its directory cannot be used.
    Store(Box<dyn Error + Send + Sync>),
}

impl ConnectError {
    /// Makes an error of the failure of a store.
    #[allow(dead_code, reason = "every feature is off")]
    pub(super) fn store(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Store(error.into())
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownScheme => {
                write!(f, "not the URL of a session store: write {}", address::all_forms())
            }
            Self::MissingFeature(feature) => {
                write!(
                    f,
                    "this URL needs the feature `{feature}` of `sessionkit`, which is off: enable it in Cargo.toml"
                )
            }
            Self::InvalidUrl(reason) => f.write_str(reason),
            Self::Store(_) => f.write_str("the session store cannot be opened"),
        }
    }
}

/// Shows the causes too.
impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(&**error),
            _ => None,
        }
    }
}
