//! The table of the formats.

use super::super::*;
use super::forged;

/// A format, and what it promises.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Makes the format, for a cookie of the name `session` if it binds one.
    pub(super) make: fn(Secrets) -> Box<dyn AuthenticatedFormat>,
    /// Makes the format for a cookie of another name, if it binds it.
    pub(super) elsewhere: Option<fn(Secrets) -> Box<dyn AuthenticatedFormat>>,
    /// Shows the format in a log.
    pub(super) debug: fn(Secrets) -> String,
    /// The cases that write the same.
    pub(super) same_as: &'static [&'static str],
    /// Writes any text where the values would be, properly signed, with `SECRET` at `NOW`.
    pub(super) forge: fn(&str) -> String,
    /// How many seconds after it was written a cookie is read last, if it ends.
    pub(super) last_second: Option<u64>,
    /// A cookie holds the time at which it was written.
    pub(super) has_times: bool,
    /// How many seconds the clock of another server may be ahead.
    pub(super) ahead: u64,
}

const DAY: u64 = 86_400;

pub(super) const CASES: &[Case] = &[
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "starlette",
        make: |secrets| Box::new(Starlette::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Starlette::new(secrets)),
        same_as: &["ravyn"],
        forge: forged::starlette,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "ravyn",
        make: |secrets| Box::new(Starlette::ravyn(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Starlette::ravyn(secrets)),
        same_as: &["starlette"],
        forge: forged::starlette,
        last_second: Some(180 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "flask",
        make: |secrets| Box::new(Flask::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Flask::new(secrets)),
        same_as: &[],
        forge: forged::flask,
        last_second: Some(31 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "django",
        make: |secrets| Box::new(Django::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Django::new(secrets)),
        same_as: &[],
        forge: forged::django,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 10,
    },
    #[cfg(feature = "signed-json")]
    Case {
        name: "signed-json",
        make: |secrets| Box::new(SignedJson::new(secrets, "session")),
        elsewhere: Some(|secrets| Box::new(SignedJson::new(secrets, "other"))),
        debug: |secrets| format!("{:?}", SignedJson::new(secrets, "session")),
        same_as: &[],
        forge: forged::signed_json,
        // A time at which something ends is not in it.
        last_second: Some(14 * DAY - 1),
        has_times: true,
        ahead: 10,
    },
];
