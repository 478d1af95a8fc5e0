//! Tests of the changes of fields.

use std::collections::BTreeMap;

use super::fixture::{
    NOW, Outcome, Seen, after, carried, changed, changed_at, clearing, deadline, header, keys, outcome, plain, record,
    set, until, values,
};
use crate::record::delta::OnLogin;
use crate::record::delta::{Clear, StoredValue};
use crate::record::header::Header;

fn odd_values() -> Vec<Vec<u8>> {
    let texts = ["", " ", "!", "! ", "!c", "!c@1 x", "@", "null", "1\r\n$1\r\n", "é"];
    let mut values: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    values.push((0..=255).collect());
    values.push(vec![0]);
    values.push(vec![0xff, 0xfe, b'!']);
    for length in [127, 128, 16_383, 16_384, 1024 * 1024] {
        values.push((0..length).map(|at| (at * 31 % 251) as u8).collect());
    }
    values
}

fn odd_keys() -> Vec<String> {
    let mut keys = [
        "a",
        "cart.items",
        "A",
        "",
        " ",
        "a b",
        "@",
        "@user",
        "@ttl",
        "!",
        "!@user",
        "ключ.é",
        "\u{1f36a}",
        "a\nb",
        "a\0b",
        "a/b",
        "a/\"b\"",
        "'; drop table sessions; --",
        "*",
        "a.b.c",
        "../a",
        "%00",
        "\"",
        "__proto__",
        "user",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(200));
    keys
}

#[test]
fn a_set_replaces_value_and_flags() {
    let all = StoredValue { carried: true, sensitive: true, ..until(after(9), "1") };
    let before = record(header(), [("a", all.clone()), ("b", all.clone())]);
    let changed = changed(&before, &set("a", plain("2")));
    assert_eq!(Seen::of(&changed), Seen::new(header(), [("a", plain("2")), ("b", all.clone())]));
    // Each flag alone makes a change.
    for value in [
        StoredValue { carried: false, ..all.clone() },
        StoredValue { deadline: None, ..all.clone() },
        StoredValue { sensitive: false, ..all.clone() },
    ] {
        assert!(matches!(outcome(&before, &set("a", value), NOW), Outcome::Changed(_)));
    }
    assert!(matches!(outcome(&before, &set("a", all), NOW), Outcome::Unchanged));
}

#[test]
fn any_bytes_are_a_value() {
    for (number, bytes) in odd_values().into_iter().enumerate() {
        let stored = changed(&record(header(), [("a", plain("1"))]), &set("b", plain(&*bytes)));
        let expected = Seen::new(header(), [("a", plain("1")), ("b", plain(&*bytes))]);
        assert_eq!(Seen::of(&stored), expected, "value {number}");
        let outcome = outcome(&stored, &set("b", plain(&*bytes)), NOW);
        assert!(matches!(outcome, Outcome::Unchanged), "value {number} is the same as itself, but: {outcome:?}");
        assert_eq!(keys(&changed(&stored, &values([("b", None)]))), ["a"], "value {number}, removed");
    }
}

#[test]
fn flags_come_back() {
    for bytes in odd_values().into_iter().filter(|bytes| bytes.len() < 1000) {
        for carried in [false, true] {
            for deadline in [None, Some(deadline(after(60))), Some(deadline(after(9_000_000_000)))] {
                for (sensitive, on_login) in
                    [(false, None), (true, Some(OnLogin::Keep)), (true, Some(OnLogin::Discard))]
                {
                    let (bytes, encrypted) = (bytes.clone(), carried != sensitive);
                    let value = StoredValue { bytes, carried, deadline, sensitive, encrypted, on_login };
                    let stored = changed(&record(header(), []), &set("a", value.clone()));
                    assert_eq!(Seen::of(&stored), Seen::new(header(), [("a", value)]));
                }
            }
        }
    }
}

#[test]
fn any_text_is_a_key() {
    let keys = odd_keys();
    let fields = || keys.iter().enumerate().map(|(number, key)| (key.as_str(), plain(number.to_string())));
    let all = changed(&record(header(), []), &values(fields().map(|(key, value)| (key, Some(value)))));
    assert_eq!(Seen::of(&all), Seen::new(header(), fields()), "none equals another, and none is part of the header");
    for key in &keys {
        let without = changed(&all, &values([(key.as_str(), None)]));
        let expected = Seen::new(header(), fields().filter(|(other, _)| other != key));
        assert_eq!(Seen::of(&without), expected, "{key:?} is removed alone");
    }
}

#[test]
fn clear_keeps_what_is_carried() {
    let both = StoredValue { carried: true, ..until(after(9), "4") };
    let fields =
        [("a", plain("1")), ("b", carried("!2")), ("@user", carried("3")), ("x.unknown", both), ("@y", plain("5"))];
    let mut full = header();
    (full.user_id, full.device_label) = (Some("ada".into()), Some("laptop".into()));
    let record = record(full.clone(), fields.clone());
    let none: [(&str, Option<StoredValue>); 0] = [];
    let kept = fields.into_iter().filter(|(_, value)| value.carried);
    let carrying = changed(&record, &clearing(Clear::AllButCarried, none.clone()));
    assert_eq!(Seen::of(&carrying), Seen::new(full.clone(), kept), "also what no struct knows");
    let empty = changed(&record, &clearing(Clear::All, none));
    assert_eq!(Seen::of(&empty), Seen::new(full, []), "the header is no field");
}

/// A name, operations, and the fields that they lead to.
type Sequence =
    (&'static str, Clear, Vec<(&'static str, Option<StoredValue>)>, &'static [(&'static str, &'static str)]);

#[test]
fn operations_apply_in_order() {
    let set = |key, value: &str| (key, Some(plain(value)));
    let cases: [Sequence; 6] = [
        ("set twice", Clear::Nothing, vec![set("n", "1"), set("n", "2")], &[("n", "2"), ("a", "5"), ("b", "6")]),
        ("set, then remove", Clear::Nothing, vec![set("a", "1"), ("a", None)], &[("b", "6")]),
        ("remove, then set", Clear::Nothing, vec![("a", None), set("a", "1")], &[("a", "1"), ("b", "6")]),
        ("clear, then set", Clear::All, vec![set("n", "1"), set("a", "2")], &[("n", "1"), ("a", "2")]),
        ("clear what is not carried, then set", Clear::AllButCarried, vec![set("a", "2")], &[("a", "2"), ("b", "6")]),
        ("clear, then remove", Clear::AllButCarried, vec![("b", None)], &[]),
    ];
    for (case, clear, operations, expected) in cases {
        let before = record(header(), [("a", plain("5")), ("b", carried("6"))]);
        // Many operations are found in another way than few.
        for padding in [0, 20] {
            let others = (0..padding).map(|number| (format!("absent{number}"), None));
            let operations = operations.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            let changed = changed(&before, &clearing(clear, others.chain(operations)));
            let held: BTreeMap<_, _> = changed.fields().map(|(key, value)| (key, value.bytes)).collect();
            let expected: BTreeMap<_, _> = expected.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
            assert_eq!(held, expected, "{case}, among {padding}");
        }
    }
}

#[test]
fn what_is_not_changed_stays_in_its_place() {
    let before = record(header(), ["d", "a", "c", "b"].map(|key| (key, plain("1"))));
    let changed = changed(&before, &values([("c", Some(plain("longer"))), ("e", Some(plain("1"))), ("a", None)]));
    assert_eq!(keys(&changed), ["d", "c", "b", "e"]);
}

#[test]
fn thousands_of_fields_are_one_change() {
    const FIELDS: usize = 10_000;
    let all = |value: Option<&str>| {
        values((0..FIELDS).map(|number| (format!("many.{number}"), value.map(|value| until(after(9), value)))))
    };
    let first = changed(&record(header(), []), &all(Some("1")));
    assert_eq!(first.fields().count(), FIELDS);
    let second = changed(&first, &all(Some("22")));
    assert!(second.fields().count() == FIELDS && second.fields().all(|(_, value)| value.bytes == b"22"));
    assert!(matches!(outcome(&second, &all(Some("22")), NOW), Outcome::Unchanged));
    assert_eq!(changed(&second, &all(None)).fields().count(), 0);
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn value(&mut self, now: u64) -> StoredValue {
        let deadline = (self.below(3) == 0).then(|| deadline(after(now + self.below(40) as u64)));
        let (carried, sensitive) = (self.below(3) == 0, self.below(4) == 0);
        let on_login = [None, Some(OnLogin::Keep), Some(OnLogin::Discard)][self.below(3)];
        StoredValue { carried, deadline, sensitive, on_login, ..StoredValue::new(vec![b'v'; self.below(3)]) }
    }
}

#[test]
fn random_operations_do_what_a_map_does() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut outcomes, long) = ([0; 2], Header { idle_deadline: after(1_000_000), ..header() });
    for _ in 0..60 {
        let mut record = record(long.clone(), []);
        let mut model: BTreeMap<String, StoredValue> = BTreeMap::new();
        for step in 0..40 {
            let now = after(step * 3);
            let clear =
                [Clear::Nothing, Clear::Nothing, Clear::Nothing, Clear::Nothing, Clear::AllButCarried, Clear::All]
                    [random.below(6)];
            let count = random.below(14);
            let operations: Vec<_> = (0..count)
                .map(|_| {
                    let key = format!("k{}", random.below(7));
                    let value = (random.below(3) > 0).then(|| random.value(step * 3));
                    (key, value)
                })
                .collect();
            let before = model.clone();
            model.retain(|_, value| value.as_ref().is_live(now));
            let live = model.clone();
            model.retain(|_, value| clear == Clear::Nothing || (clear == Clear::AllButCarried && value.carried));
            // The last one of a key counts, and is compared with what was there.
            for (key, value) in &operations {
                match value {
                    Some(value) => drop(model.insert(key.clone(), value.clone())),
                    None => drop(model.remove(key)),
                }
            }
            let is_changed = model != live;
            match outcome(&record, &clearing(clear, operations.clone()), now) {
                Outcome::Changed(changed) if is_changed => record = changed,
                Outcome::Unchanged if !is_changed => model = before,
                other => panic!("{live:?}, {clear:?}, {operations:?} at {now}: {other:?}, but {is_changed}"),
            }
            outcomes[usize::from(is_changed)] += 1;
            let held: BTreeMap<_, _> = record.fields().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(held, model, "{operations:?} at {now}");
        }
    }
    assert!(outcomes.iter().all(|count| *count > 100), "too few of one outcome: {outcomes:?}");
}

#[test]
fn the_value_of_a_field_is_returned_while_it_is_live() {
    let record = changed_at(&record(header(), []), &set("a", until(after(9), "1")), NOW);
    assert!(record.field("a", after(8)).is_some() && record.field("a", after(9)).is_none());
    assert!(record.field("b", NOW).is_none());
}
