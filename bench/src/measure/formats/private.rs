//! Private cookies of the crate `cookie`, with which the peers encrypt.

use sessionkit::Timestamp;
use sessionkit::formats::{CookieContent, CookieFormat, FormatError, InvalidCookie};
use tower_sessions::session;

const NAME: &str = "session";

/// Makes a private cookie with one version of the crate: `seal` and `open` of text, and the format that keeps JSON in it.
macro_rules! private_cookie {
    ($name:ident, $version:ident) => {
        pub struct $name($version::Key);

        impl $name {
            pub fn new() -> Self {
                Self($version::Key::generate())
            }

            fn open(&self, cookie: &str) -> Result<$version::Cookie<'static>, InvalidCookie> {
                let mut jar = $version::CookieJar::new();
                jar.add_original($version::Cookie::new(NAME, cookie.to_owned()));
                jar.private(&self.0).get(NAME).ok_or(InvalidCookie)
            }

            fn seal(&self, value: String) -> Result<String, FormatError> {
                let mut jar = $version::CookieJar::new();
                jar.private_mut(&self.0).add($version::Cookie::new(NAME, value));
                let sealed = jar.get(NAME).ok_or_else(|| FormatError::new("no cookie was added"))?;
                Ok(sealed.value().to_owned())
            }
        }

        impl CookieFormat for $name {
            fn read(&self, cookie: &str, _: Timestamp) -> Result<CookieContent, InvalidCookie> {
                let values = serde_json::from_str(self.open(cookie)?.value()).map_err(|_| InvalidCookie)?;
                Ok(CookieContent::new(values))
            }

            fn write(&self, content: &CookieContent, _: Timestamp) -> Result<String, FormatError> {
                let json =
                    serde_json::to_string(&content.values).map_err(|error| FormatError::new(error.to_string()))?;
                self.seal(json)
            }
        }
    };
}

private_cookie!(OfActix, cookie_of_actix);
private_cookie!(OfCookie, cookie);

/// The id of a session of tower-sessions, whose values are in its store.
pub struct Id(OfCookie, session::Id);

impl Id {
    pub fn new() -> Self {
        Self(OfCookie::new(), session::Id::default())
    }
}

impl CookieFormat for Id {
    fn read(&self, cookie: &str, _: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let id = self.0.open(cookie)?.value().parse::<session::Id>();
        id.map(|_| CookieContent::default()).map_err(|_| InvalidCookie)
    }

    fn write(&self, _: &CookieContent, _: Timestamp) -> Result<String, FormatError> {
        self.0.seal(self.1.to_string())
    }
}
