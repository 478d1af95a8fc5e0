//! The tables of the guide name all that there is, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sessionkit::{EventKind, SessionConfig};

/// The cells of the table whose head begins like this, without the marks of code.
fn table<'a>(page: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let (_, rest) = page.split_once(head).expect("the page has the table");
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim()).collect()).collect()
}

fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(", ").map(|word| word.trim_matches('`'))
}

#[test]
fn every_setting_is_listed_with_its_default() {
    let page = include_str!("../../sessionkit/src/guide/settings.md");
    let rows = table(page, "| setting | default | |");
    let listed: BTreeSet<String> = rows.iter().flat_map(|row| words(row[0])).map(str::to_owned).collect();
    let builder = format!("{:#?}", SessionConfig::builder());
    let there = builder.lines().filter_map(|line| Some(line.trim().split_once(": None")?.0.to_owned()));
    assert_eq!(listed, there.collect::<BTreeSet<_>>());
    for row in rows {
        let (name, default) = (words(row[0]).next().unwrap_or_default(), words(row[1]).next().unwrap_or_default());
        let default = if default == "unset" { Value::Null } else { json!(default) };
        let config: SessionConfig = serde_json::from_value(json!({ name: default })).expect("it is a setting");
        assert_eq!(format!("{config:?}"), format!("{:?}", SessionConfig::default()), "{name}");
    }
}

#[test]
fn every_kind_of_event_is_listed() {
    let page = include_str!("../../sessionkit/src/guide/events.md");
    let rows = table(page, "| event | level | kept by the trail | it says |");
    let listed: BTreeSet<&str> = rows.iter().flat_map(|row| words(row[0])).collect();
    assert_eq!(listed, EventKind::NAMES.iter().copied().collect());
    for row in &rows {
        let (level, kept) = (row[1], row[2]);
        assert!(["debug", "info", "warn", "error"].contains(&level) && ["yes", "no"].contains(&kept), "{row:?}");
    }
    // Two of each kind, of which an instance can be made here.
    let kept = |name| rows.iter().find(|row| words(row[0]).any(|word| word == name)).map(|row| row[2]);
    for kind in [EventKind::Login, EventKind::Expired, EventKind::Created, EventKind::Conflict] {
        assert_eq!(kept(kind.name()), Some(if kind.is_audited() { "yes" } else { "no" }), "{}", kind.name());
    }
}
