//! The entries of one user: the reference for every index.

use super::index::{DeviceEntry, DeviceSelection, EntryState, Registered, Registration};
use crate::time::Timestamp;
use crate::token::SessionId;

/// The entries of one user, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries(Vec<DeviceEntry>);

impl Entries {
    pub(crate) fn register(&mut self, login: Registration) -> Registered {
        let Registration { id, deadline, most, evict, stored, now } = login;
        self.expire(now);
        let known = self.0.iter().position(|entry| entry.id == id);
        let known = known.map(|at| self.0[at]);
        if known.is_some_and(|entry| entry.state == EntryState::Ended) {
            return Registered::Ended;
        }
        let others = self.0.iter_mut().filter(|entry| entry.id != id && entry.state != EntryState::Ended);
        let others: Vec<_> = others.collect();
        let surplus = most.map_or(0, |most| (others.len() + 1).saturating_sub(most));
        if surplus > 0 && known.is_none() && !evict {
            return Registered::Full;
        }
        if evict {
            others.into_iter().take(surplus).for_each(|entry| entry.state = EntryState::Ended);
        }
        self.0.retain(|entry| entry.id != id);
        let new = if stored { EntryState::Confirmed } else { EntryState::Begun };
        let (state, later) = known.map_or((new, deadline), |entry| (entry.state, entry.deadline));
        self.0.push(DeviceEntry { id, state, registered: now, deadline: deadline.max(later) });
        Registered::Entered(self.ended(DeviceSelection::All))
    }

    pub(crate) fn confirm(&mut self, id: SessionId, ended: &[SessionId], now: Timestamp) -> bool {
        self.expire(now);
        self.0.retain(|entry| entry.state != EntryState::Ended || !ended.contains(&entry.id));
        let entry = self.0.iter_mut().find(|entry| entry.id == id && entry.state != EntryState::Ended);
        entry.map(|entry| entry.state = EntryState::Confirmed).is_some()
    }

    pub(crate) fn end(&mut self, meant: DeviceSelection, now: Timestamp) -> Vec<SessionId> {
        self.expire(now);
        let those = self.0.iter_mut().filter(|entry| meant.includes(entry.id));
        those.for_each(|entry| entry.state = EntryState::Ended);
        self.ended(meant)
    }

    pub(crate) fn forget(&mut self, ids: &[SessionId]) {
        self.0.retain(|entry| !ids.contains(&entry.id));
    }

    /// Removes what is still as it was seen.
    pub(crate) fn prune(&mut self, seen: &[DeviceEntry]) {
        self.0.retain(|entry| !seen.contains(entry));
    }

    pub(crate) fn live(&self, now: Timestamp) -> Vec<DeviceEntry> {
        self.0.iter().filter(|entry| now < entry.deadline).copied().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.0.iter().all(|entry| now >= entry.deadline)
    }

    fn ended(&self, meant: DeviceSelection) -> Vec<SessionId> {
        let ended = self.0.iter().filter(|entry| entry.state == EntryState::Ended && meant.includes(entry.id));
        ended.map(|entry| entry.id).collect()
    }

    fn expire(&mut self, now: Timestamp) {
        self.0.retain(|entry| now < entry.deadline);
    }
}
