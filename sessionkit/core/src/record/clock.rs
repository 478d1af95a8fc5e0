//! Times of a clock that is ahead of another server's.
//!
//! A server that reads a time from its own future cannot know which of the two clocks is wrong. So it changes none of the
//! times that decide when a session ends: it notes in the record by how much the other clock leads, and reads them, and
//! writes them, as if its own clock led by as much. A server whose clock is not behind reads them as they are stored.
//! What lives for a few minutes only is taken back where it is stored: secrets that were replaced, and fields.

use std::time::Duration;

use crate::record::header::{Header, LEEWAY, proved_by};
use crate::time::Timestamp;

/// The shortest time after which a note is written again if nothing else is.
const REFRESH: Duration = Duration::from_secs(60);

pub(crate) const CREATED: u8 = 1;
/// The time of the proof of identity, and the absolute deadline.
pub(crate) const AUTHENTICATED: u8 = 2;
/// The time of the last use, and the idle deadline.
pub(crate) const SEEN: u8 = 4;

/// The note of a server to whose clock some times of a header were ahead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ClockNote {
    /// The time at which it noticed, by its own clock.
    pub(crate) noticed: Timestamp,
    /// The time by which the other clock leads.
    pub(crate) lead: Duration,
    /// The times that the other clock wrote.
    pub(crate) times: u8,
    /// The time at which the user proved who they are, if this header shows its times as the server sees them that noticed:
    /// to that one it is not known.
    pub(crate) shown: Option<Option<Timestamp>>,
}

impl ClockNote {
    /// Returns whether it is the note of a server with this clock. A clock that is closer to the one that leads is
    /// another one, or so much later that the note is of no use.
    fn is_by(&self, now: Timestamp) -> bool {
        self.noticed <= now.saturating_add(LEEWAY) && now.saturating_duration_since(self.noticed) < self.lead / 2
    }
}

/// A header as a server sees it.
pub(crate) struct Seen {
    pub(crate) header: Header,
    /// True if there is something to store, so that the next request sees no more.
    pub(crate) is_news: bool,
}

/// Returns whether a clock granted something that is ahead of this one.
pub(crate) fn is_ahead(granted: Timestamp, now: Timestamp) -> bool {
    granted > now.saturating_add(LEEWAY)
}

impl Header {
    /// Returns the header as a server sees it to whose clock some of its times are ahead; `None` if it is as it is.
    #[inline]
    pub(crate) fn seen_at(&self, now: Timestamp) -> Option<Seen> {
        let mut latest = self.created.max(self.last_seen).max(self.authenticated.unwrap_or_default());
        if let Some(rotation) = &self.rotation {
            latest = latest.max(rotation.at);
        }
        if let Some(previous) = &self.previous {
            latest = latest.max(previous.renewed).max(previous.used.unwrap_or_default());
        }
        if self.clock.is_none() && !is_ahead(latest, now) { None } else { self.seen_by(now) }
    }

    #[cold]
    fn seen_by(&self, now: Timestamp) -> Option<Seen> {
        let mut seen = Seen { header: self.clone(), is_news: false };
        let is_changed = seen.header.move_times(now);
        seen.is_news = seen.header.take_back_secrets(now) | is_changed.unwrap_or_default();
        (is_changed.is_some() || seen.is_news).then_some(seen)
    }

    /// Shows the times as a server sees them that is behind; returns whether the note of it is new, and `None` if the server
    /// is not.
    fn move_times(&mut self, now: Timestamp) -> Option<bool> {
        let held = self.clock.as_deref().copied();
        if held.is_some_and(|note| note.shown.is_some()) {
            return None;
        }
        let known = held.filter(|note| note.is_by(now));
        let began = self.authenticated.unwrap_or(self.created);
        let all = [(CREATED, self.created), (AUTHENTICATED, began), (SEEN, self.last_seen)];
        let ahead = all.into_iter().filter(|(_, time)| is_ahead(*time, now));
        let (times, latest) = ahead.fold((0, now), |(times, latest), (flag, time)| (times | flag, time.max(latest)));
        if known.is_none() && times == 0 {
            return None;
        }
        let lead = latest.saturating_duration_since(now).max(known.map_or(Duration::ZERO, |note| note.lead));
        let times = times | known.map_or(0, |note| note.times);
        let is_fresh = known.is_some_and(|note| {
            let age = now.saturating_duration_since(note.noticed);
            note.lead == lead && note.times == times && age < REFRESH.max(lead / 4)
        });
        self.clock = Some(Box::new(ClockNote { noticed: now, lead, times, shown: Some(None) }));
        self.shift(|time| time.saturating_sub(lead));
        if times & AUTHENTICATED != 0
            && let Some(note) = &mut self.clock
        {
            note.shown = Some(self.authenticated.take());
        }
        Some(!is_fresh)
    }

    /// Returns the header as it is stored, if it shows its times as a server sees them that is behind.
    pub(crate) fn as_stored(&self) -> Option<Self> {
        let proved = self.clock.as_ref()?.shown?;
        let mut stored = self.clone();
        stored.authenticated = self.authenticated.or(proved);
        if let Some(note) = &mut stored.clock {
            note.shown = None;
            let lead = note.lead;
            stored.shift(|time| time.saturating_add(lead));
        }
        Some(stored)
    }

    /// Moves the times that the other clock wrote.
    fn shift(&mut self, moved: impl Fn(Timestamp) -> Timestamp) {
        let Some(times) = self.clock.as_ref().map(|note| note.times) else { return };
        // A deadline that a touch could not move past the absolute one was not granted by the clock that leads.
        let is_cut = self.absolute_deadline == Some(self.idle_deadline) && times & AUTHENTICATED == 0;
        if times & CREATED != 0 {
            self.created = moved(self.created);
        }
        if times & AUTHENTICATED != 0 {
            self.authenticated = self.authenticated.map(&moved);
            self.absolute_deadline = self.absolute_deadline.map(&moved);
        }
        if times & SEEN != 0 {
            self.last_seen = moved(self.last_seen);
            if !is_cut {
                self.idle_deadline = moved(self.idle_deadline);
            }
        }
    }

    /// Takes back what a clock that leads granted to secrets that were replaced; `false` if there is nothing.
    fn take_back_secrets(&mut self, now: Timestamp) -> bool {
        let mut is_changed = false;
        if let Some(previous) = &mut self.previous {
            if is_ahead(previous.renewed, now) {
                (previous.renewed, is_changed) = (now, true);
            }
            if let Some(used) = previous.used.filter(|used| is_ahead(*used, now)) {
                let lead = used.saturating_duration_since(now);
                (previous.used, is_changed) = (Some(now), true);
                previous.until = previous.until.map(|until| until.saturating_sub(lead));
            }
        }
        if let Some(rotation) = self.rotation.as_mut().filter(|rotation| is_ahead(rotation.at, now)) {
            let lead = rotation.at.saturating_duration_since(now);
            (rotation.at, is_changed) = (now, true);
            for former in self.former.iter_mut().flat_map(std::sync::Arc::make_mut) {
                former.until = former.until.saturating_sub(lead);
                former.authenticated = proved_by(former.authenticated, now);
            }
        }
        is_changed
    }

    /// Drops what is known of a time of a proof of identity that this server cannot judge.
    pub(crate) fn forget_proof(&mut self) {
        if let Some(note) = self.clock.as_mut().filter(|note| note.shown.is_some()) {
            note.shown = Some(None);
        }
    }

    /// Notes that a server whose clock is behind has written the header.
    pub(crate) fn renew_note(&mut self, now: Timestamp) {
        if let Some(note) = self.clock.as_mut().filter(|note| note.shown.is_some()) {
            note.noticed = now;
        }
    }
}
