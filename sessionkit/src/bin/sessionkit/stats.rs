//! The contents of a store in figures.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::json;
use sessionkit::store::{EntryKind, StoreStats};

use crate::progress::Progress;
use crate::store::Opened;
use crate::text::time;
use crate::{Failure, Report};

/// Returns the store's own figures, or counts what it holds.
pub(crate) async fn stats(store: &Opened) -> Result<Report, Failure> {
    Ok(match store.stats().await? {
        Some(stats) => report(&stats, "the store"),
        None => report(&count(store).await?, "a scan"),
    })
}

/// Looks at all that the store holds.
async fn count(store: &Opened) -> Result<StoreStats, Failure> {
    let (mut oldest, mut bytes) = (None, 0);
    let mut progress = Progress::new("entries looked at");
    let mut numbers = [0, 0, 0];
    let kinds = [EntryKind::Session, EntryKind::SessionList, EntryKind::Adoption];
    for (number, kind) in numbers.iter_mut().zip(kinds) {
        let mut known = HashSet::new();
        let looked = store.scan(kind, &mut progress, async |key, entry| {
            if known.insert(key) {
                bytes += entry.bytes().len() as u64;
                let created = entry.summary().and_then(|summary| summary.created);
                oldest = oldest.into_iter().chain(created).min();
            }
            Ok(true)
        });
        looked.await?;
        *number = known.len() as u64;
    }
    let mut stats = StoreStats::default();
    (stats.sessions, stats.lists) = (Some(numbers[0]), Some(numbers[1]));
    (stats.oldest, stats.bytes) = (oldest, Some(bytes));
    Ok(stats)
}

fn report(stats: &StoreStats, counted_by: &str) -> Report {
    let unknown = || "unknown".to_owned();
    let number = |number: Option<u64>| number.map_or_else(unknown, |number| number.to_string());
    let mut text = String::new();
    for (name, value) in [
        ("sessions", number(stats.sessions)),
        ("lists", number(stats.lists)),
        ("oldest", stats.oldest.map_or_else(unknown, time)),
        ("bytes", number(stats.bytes)),
        ("counted by", counted_by.to_owned()),
    ] {
        let _ = writeln!(text, "{name:<12} {value}");
    }
    let StoreStats { sessions, lists, oldest, bytes, .. } = *stats;
    let value = json!({
        "sessions": sessions,
        "lists": lists,
        "oldest": oldest.map(time),
        "bytes": bytes,
        "counted_by": counted_by,
    });
    Report { value, text }
}
