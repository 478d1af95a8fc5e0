//! The seconds that a text such as `"10m"` stands for.

use crate::duration::{self, NoDuration};

/// Reads a time that is a whole number of seconds; one that is too long is `u64::MAX`.
///
/// # Errors
/// Returns what to say about a text that is none.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    match duration::parse(text) {
        Ok(time) if time.subsec_nanos() == 0 => Ok(time.as_secs()),
        Ok(_) => Err(format!("`{text}` is not a whole number of seconds: write \"1s\" or a longer time")),
        Err(NoDuration::TooLong) => Ok(u64::MAX),
        Err(NoDuration::Malformed) => {
            Err(format!("`{text}` is not a time: write a whole number and a unit, \"30s\", \"10m\", \"12h\" or \"7d\""))
        }
    }
}
