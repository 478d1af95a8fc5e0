//! The value of a condition: now, and after a login.

use std::ops::Not;

/// The answer of a condition, ordered, so that the least is what all of several are, and the greatest what any is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Answer {
    Unmet,
    /// Nobody asked, or it cannot be known.
    Unknown,
    Met,
}

impl Not for Answer {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Unmet => Self::Met,
            Self::Unknown => Self::Unknown,
            Self::Met => Self::Unmet,
        }
    }
}

impl From<bool> for Answer {
    fn from(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Unmet }
    }
}

/// A condition's two values. The second decides the answer to those who are refused: to log in, or that they may not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Condition {
    pub(crate) now: Answer,
    /// The answer once the visitor has logged in, or has done so again.
    pub(crate) after_login: Answer,
}

impl Condition {
    pub(crate) const UNKNOWN: Self = Self { now: Answer::Unknown, after_login: Answer::Unknown };
    pub(crate) const MET: Self = Self { now: Answer::Met, after_login: Answer::Met };
    pub(crate) const UNMET: Self = Self { now: Answer::Unmet, after_login: Answer::Unmet };
    /// A login is what is missing.
    pub(crate) const MET_BY_LOGIN: Self = Self { now: Answer::Unmet, after_login: Answer::Met };
    /// A login is what would be in the way.
    pub(crate) const UNMET_BY_LOGIN: Self = Self { now: Answer::Met, after_login: Answer::Unmet };

    /// All of two.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { now: self.now.min(other.now), after_login: self.after_login.min(other.after_login) }
    }

    /// Any of two.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { now: self.now.max(other.now), after_login: self.after_login.max(other.after_login) }
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self { now: !self.now, after_login: !self.after_login }
    }
}
