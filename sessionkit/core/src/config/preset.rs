//! Lifetimes after NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3.

use std::time::Duration;

use super::settings::DAY;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// An authentication assurance level, as far as it limits how long a session may last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Preset {
    Aal1,
    Aal2,
    Aal3,
}

impl Preset {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
            Self::Aal3 => "aal3",
        }
    }

    /// The longest time without use; `None` where there is no limit.
    pub(super) fn longest_idle(self) -> Option<Duration> {
        match self {
            Self::Aal1 => None,
            Self::Aal2 => Some(HOUR),
            Self::Aal3 => Some(HOUR / 4),
        }
    }

    /// The longest time since the last authentication.
    pub(super) fn longest(self) -> Duration {
        match self {
            Self::Aal1 => 30 * DAY,
            Self::Aal2 => DAY,
            Self::Aal3 => DAY / 2,
        }
    }
}
