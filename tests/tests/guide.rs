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
        // Some settings need another one beside them.
        let needed = row[2].split_once("needs `").and_then(|(_, rest)| rest.split('`').next());
        let without: serde_json::Map<_, _> =
            needed.map(|needed| (needed.to_owned(), json!(true))).into_iter().collect();
        let mut with = without.clone();
        with.insert(name.to_owned(), default);
        assert_eq!(read(with.into()).unwrap(), read(without.into()).unwrap(), "{name}");
    }
}

/// The settings in force, or what is said about them.
fn read(settings: Value) -> Result<String, String> {
    let config = serde_json::from_value::<SessionConfig>(settings);
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

#[test]
fn every_preset_is_listed_with_what_it_requires() {
    let page = include_str!("../../sessionkit/src/guide/settings.md");
    let seconds = |text: &str| {
        let (number, unit) = text.split_at(text.len() - 1);
        let unit = ["s", "m", "h", "d"].iter().zip([1, 60, 3600, 86400]).find(|(name, _)| **name == unit);
        number.parse::<u64>().unwrap() * unit.expect("it is a unit").1
    };
    let rows = table(page, "| preset | `ttl` at most | `absolute_ttl` at most | `rolling` |");
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["`aal1`", "`aal2`", "`aal3`"]);
    for row in rows {
        let preset = row[0].trim_matches('`');
        let (ttl, absolute) = (seconds(row[1].trim_matches('`')), seconds(row[2].trim_matches('`')));
        let with = |name: &str, value: Value| read(json!({ "preset": preset, name: value }));
        let plain = json!({ "preset": preset, "ttl": ttl.min(86400), "absolute_ttl": absolute });
        assert_eq!(read(json!({ "preset": preset })), read(plain));
        for (name, longest) in [("ttl", ttl), ("absolute_ttl", absolute)] {
            assert!(with(name, json!(longest)).is_ok(), "{preset} {name}");
            let refused = with(name, json!(longest + 1)).unwrap_err();
            assert!(refused.contains(name), "{refused}");
        }
        for rolling in ["off", "reset", "extend(10m)"] {
            assert_eq!(with("rolling", json!(rolling)).is_ok(), words(row[3]).any(|word| word == rolling), "{rolling}");
        }
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
