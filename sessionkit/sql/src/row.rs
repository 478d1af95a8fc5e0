//! An entry as a row: its bytes, and what people may see of it.

use std::borrow::Cow;

use sessionkit_core::{Entry, EntryKey, EntryKind, Timestamp};

use crate::executor::Value;

/// The columns of an entry beside its key.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) kind: &'static str,
    pub(crate) scope: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) created: Option<i64>,
    pub(crate) last_seen: Option<i64>,
    pub(crate) device_label: Option<String>,
    pub(crate) reclaim_at: i64,
    pub(crate) record: &'a [u8],
}

impl<'a> Row<'a> {
    pub(crate) fn new(key: &EntryKey, entry: &'a Entry, now: Timestamp) -> Self {
        let summary = entry.summary();
        let summary = summary.as_ref();
        let text = |text: &Option<String>| text.as_deref().map(|text| shown(text).into_owned());
        let time = |time: Timestamp| number(time.unix_seconds());
        Self {
            kind: kind_name(key.kind()),
            scope: summary.map(|summary| shown(&summary.scope).into_owned()),
            user_id: summary.and_then(|summary| text(&summary.user_id)),
            created: summary.and_then(|summary| summary.created).map(time),
            last_seen: summary.and_then(|summary| summary.last_seen).map(time),
            device_label: summary.and_then(|summary| text(&summary.device_label)),
            reclaim_at: reclaim_at(key, entry, now),
            record: entry.bytes(),
        }
    }

    /// Returns the values of the columns that change with an entry, as both statements that write it have them in order.
    pub(crate) fn values(&self) -> [Value<'_>; 7] {
        [
            Value::Text(self.scope.as_deref()),
            Value::Text(self.user_id.as_deref()),
            Value::Number(self.created),
            Value::Number(self.last_seen),
            Value::Text(self.device_label.as_deref()),
            Value::Number(Some(self.reclaim_at)),
            Value::Bytes(self.record),
        ]
    }
}

/// Returns the name of a kind in the column `kind`.
pub(crate) fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::SessionList => "list",
        EntryKind::Adoption => "adoption",
        _ => "session",
    }
}

/// The longest text in a column for people, in characters: an index of any database takes it.
const LONGEST: usize = 255;

/// Returns text as every database takes it: no zero bytes, and not too long. What is left out is marked.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let text = match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some(_) => {
            let kept = text.char_indices().nth(LONGEST - 1).map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}\u{2026}", &text[..kept]))
        }
    }
}

/// The shortest time between two changes of the column `reclaim_at` of one session, in seconds.
const SHORTEST_STEP: u64 = 60 * 60;

/// Returns the time from which on the entry may be forgotten, rounded up.
///
/// The column has an index, and PostgreSQL updates a row in place only if no indexed column changes. So a session's touches
/// leave it as it is for an hour, or for an eighth of the time that the session is kept. Each session has an offset of
/// its own, so that they do not all change at once.
pub(crate) fn reclaim_at(key: &EntryKey, entry: &Entry, now: Timestamp) -> i64 {
    const LATEST: u64 = 1 << 60;
    let keep = entry.reclaim_in();
    let keep = keep.as_secs().saturating_add(u64::from(keep.subsec_nanos() > 0)).min(LATEST);
    // A power of two, so that it is the same for all that are kept for about as long.
    let step = (keep / 8).checked_ilog2().map_or(0, |power| 1 << power).max(SHORTEST_STEP);
    let last = key.as_bytes().last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let exact = now.unix_seconds().saturating_add(keep).min(LATEST);
    let missing = (last % step + step - exact % step) % step;
    number(exact + missing)
}

pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sessionkit_core::SessionId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const HOUR: u64 = 3_600;

    fn at(id: u8, keep: Duration, now: u64) -> i64 {
        let key = EntryKey::session(SessionId::from_bytes([id; 16]));
        reclaim_at(&key, &Entry::new([0; 40], keep), Timestamp::from_unix_seconds(now))
    }

    #[test]
    fn an_entry_is_kept_for_its_time_and_not_much_longer() {
        for keep in [0, 1, 60, HOUR, 24 * HOUR, 14 * 24 * HOUR, 400 * 24 * HOUR] {
            for id in 0..50 {
                let due = at(id, Duration::from_secs(keep), NOW.unix_seconds()) as u64 - NOW.unix_seconds();
                assert!(due >= keep && due < keep + HOUR.max(keep / 8 + 1), "{keep}: {due}");
            }
        }
        assert!(at(1, Duration::from_millis(1), 7_200 + 1) > 7_201, "part of a second is not lost");
        for keep in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 61)] {
            assert!(at(255, keep, NOW.unix_seconds()) >= 1 << 60, "it does not wrap around");
        }
        assert!(at(255, Duration::MAX, u64::MAX) > 0);
    }

    #[test]
    fn touches_seldom_change_the_column_and_not_all_at_once() {
        let keep = Duration::from_secs(14 * 24 * HOUR + 300);
        let changes = |id: u8, every: u64| {
            let due: Vec<i64> = (0..1_000).map(|n| at(id, keep, NOW.unix_seconds() + n * every)).collect();
            due.windows(2).filter(|due| due[0] != due[1]).count()
        };
        assert!((0..100).all(|id| changes(id, 60) <= 1), "a touch a minute");
        assert!((0..100).all(|id| changes(id, 600) <= 5), "a touch in ten minutes");
        let minutes =
            |id: u8| (0..2_185).find(|n| at(id, keep, NOW.unix_seconds() + n * 60) != at(id, keep, NOW.unix_seconds()));
        let mut when: Vec<_> = (0..100).map(minutes).collect();
        when.sort_unstable();
        when.dedup();
        assert!(when.len() > 50, "they change at different times: {when:?}");
        let short = Duration::from_secs(35 * 60);
        let due: Vec<i64> = (0..60).map(|n| at(3, short, NOW.unix_seconds() + n * 60)).collect();
        assert!(due.windows(2).filter(|due| due[0] != due[1]).count() <= 1, "half an hour");
    }

    #[test]
    fn text_for_people_is_cut_and_has_no_zeros() {
        assert_eq!(shown("ada"), "ada");
        assert_eq!(shown("a\0b"), "a\u{fffd}b");
        assert_eq!(shown(&"\u{1f36a}".repeat(255)), "\u{1f36a}".repeat(255));
        let cut = shown(&"\u{1f36a}".repeat(256)).into_owned();
        assert_eq!((cut.chars().count(), cut.chars().last()), (255, Some('\u{2026}')));
    }
}
