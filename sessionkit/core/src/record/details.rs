//! What a header knows of a login besides its user and its times.

use std::sync::Arc;

use crate::error::SessionError;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::packing::{read_slice, write_slice};

const ACTOR: u8 = 1;
const STAMP: u8 = 2;

/// How a user logged in. A session whose login says nothing of this has none, and takes no room for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LoginDetails {
    /// How the user proved who they are, as RFC 8176 names it: `pwd`, `otp`, `hwk`. Visible ASCII without spaces.
    pub methods: Vec<String>,
    /// Who really acts, where somebody acts as the user.
    pub actor: Option<Arc<str>>,
    /// The stamp of the credential, of the actor's where there is one.
    pub stamp: Option<CredentialStamp>,
}

impl LoginDetails {
    /// Shares the details, unless they say nothing.
    pub fn shared(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// Packs the details into a few bytes.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let actor = if self.actor.is_some() { ACTOR } else { 0 };
        let stamp = if self.stamp.is_some() { STAMP } else { 0 };
        let mut packed = vec![actor | stamp];
        if let Some(actor) = &self.actor {
            write_slice(&mut packed, actor.as_bytes());
        }
        if let Some(stamp) = &self.stamp {
            packed.extend_from_slice(stamp.as_bytes());
        }
        for method in &self.methods {
            write_slice(&mut packed, method.as_bytes());
        }
        packed
    }

    /// Reads what [`pack`](Self::pack) wrote.
    pub(crate) fn unpack(packed: &[u8]) -> Option<Self> {
        let (&has, mut rest) = packed.split_first()?;
        let mut details = Self::default();
        if has & ACTOR != 0 {
            details.actor = Some(std::str::from_utf8(read_slice(&mut rest)?).ok()?.into());
        }
        if has & STAMP != 0 {
            let (stamp, after) = rest.split_first_chunk()?;
            rest = after;
            details.stamp = Some(CredentialStamp::from_bytes(*stamp));
        }
        while !rest.is_empty() {
            details.methods.push(std::str::from_utf8(read_slice(&mut rest)?).ok()?.to_owned());
        }
        Some(details)
    }
}

/// Makes sure that methods can be told apart when they are stored one after the other.
pub(crate) fn check_methods(methods: &[String]) -> Result<(), SessionError> {
    let is_name = |method: &&String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
    methods.iter().find(|method| !is_name(method)).map_or(Ok(()), |method| Err(SessionError::method(method)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing() {
        let stamp = Some(CredentialStamp::of("a"));
        for methods in [vec![], vec!["pwd".to_owned()], vec!["pwd".to_owned(), "otp".to_owned()]] {
            for actor in [None, Some("".into()), Some("grace".into())] {
                for stamp in [None, stamp] {
                    let details = LoginDetails { methods: methods.clone(), actor: actor.clone(), stamp };
                    let packed = details.pack();
                    assert_eq!(LoginDetails::unpack(&packed), Some(details));
                }
            }
        }
    }

    #[test]
    fn torn_bytes_are_no_details() {
        let details = LoginDetails {
            methods: vec!["pwd".into()],
            actor: Some("grace".into()),
            stamp: Some(CredentialStamp::of("a")),
        };
        let packed = details.pack();
        for end in 0..packed.len() {
            let read = LoginDetails::unpack(&packed[..end]);
            assert!(read.is_none_or(|read| read.methods.is_empty()), "{end}");
        }
    }
}
