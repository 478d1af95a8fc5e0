//! Tests of sessions and fields that end by themselves.

use super::fixture::{
    NOW, Outcome, TTL, after, carried, changed, changed_at, clearing, header, keys, ops, outcome, plain, record,
    secret, set, touch, under, until, values,
};
use crate::record::delta::{Clear, Delta, StoredValue};
use crate::record::header::Header;

const NO_VALUES: [(&str, Option<StoredValue>); 0] = [];

#[test]
fn at_its_deadline_a_session_is_gone() {
    let idle = header();
    let absolute = Header { absolute_deadline: Some(after(100)), ..header() };
    let past_it = Header { idle_deadline: after(200), absolute_deadline: Some(after(300)), ..header() };
    for header in [idle, absolute, past_it] {
        let deadline = header.deadline();
        let record = record(header, [("a", plain("1"))]);
        let before = deadline.saturating_sub(std::time::Duration::from_secs(1));
        changed_at(&record, &set("a", plain("2")), before);
        for end in [deadline, deadline.saturating_add(TTL * 1000)] {
            let longer = Delta { header: vec![touch(end, end.saturating_add(TTL))], ..set("a", plain("3")) };
            for delta in [longer.clone(), under(9, longer), ops([])] {
                let outcome = outcome(&record, &delta, end);
                assert!(
                    matches!(outcome, Outcome::Gone),
                    "[P4] an expired session is gone, not stale, but: {outcome:?}"
                );
            }
        }
    }
}

#[test]
fn a_touch_never_shortens_and_never_passes_the_absolute_deadline() {
    let free = Header::new(secret(0), NOW, TTL, None);
    let bound = Header::new(secret(0), NOW, TTL, Some(TTL * 2));
    // Seen, deadline asked for; then what they must be without an absolute deadline, and with one after 7200 s.
    let steps = [
        ((10, 3700), (10, 3700), (10, 3700)),
        ((5, 3650), (10, 3700), (10, 3700)),
        ((20, 0), (20, 3700), (20, 3700)),
        ((20, 7199), (20, 7199), (20, 7199)),
        ((30, 9000), (30, 9000), (30, 7200)),
        ((30, 8000), (30, 9000), (30, 7200)),
    ];
    for first in [free, bound] {
        let is_bound = first.absolute_deadline.is_some();
        let mut record = record(first, [("a", plain("1"))]);
        for ((seen, deadline), free, bound) in steps {
            let expected = if is_bound { bound } else { free };
            if let Outcome::Changed(touched) = outcome(&record, &ops([touch(after(seen), after(deadline))]), NOW) {
                record = touched;
            }
            let held = (record.header().last_seen, record.header().idle_deadline);
            assert_eq!(held, (after(expected.0), after(expected.1)), "[P4] touched with {seen}, {deadline}");
            assert_eq!(record.header().deadline(), after(expected.1), "[P4] it lives as long as that");
        }
        assert!(record.field("a", NOW).is_some_and(|value| value.bytes == b"1"), "a touch leaves fields alone");
    }

    let late = Header { idle_deadline: after(5000), ..Header::new(secret(0), NOW, TTL, Some(TTL / 2)) };
    let record = record(late, []);
    assert!(matches!(outcome(&record, &ops([touch(NOW, after(100))]), NOW), Outcome::Unchanged));
}

#[test]
fn at_its_deadline_a_field_is_absent() {
    let record = record(header(), [("a", until(after(50), "5"))]);
    assert!(record.field("a", after(49)).is_some() && record.field("a", after(50)).is_none());
    let same = set("a", until(after(50), "5"));
    assert!(matches!(outcome(&record, &same, after(49)), Outcome::Unchanged), "a second before it is there");
    let again = changed_at(&record, &set("a", until(after(90), "5")), after(50));
    assert!(again.field("a", after(60)).is_some_and(|value| value.bytes == b"5") && again.fields().count() == 1);
}

#[test]
fn an_ended_field_goes_with_the_next_change_and_makes_none_by_itself() {
    let long = StoredValue { carried: true, ..until(after(500), "1") };
    let short = StoredValue { carried: true, ..until(after(50), "1") };
    let fields = [("a", until(after(50), "1")), ("b", long), ("c", short), ("d", carried("1")), ("e", plain("1"))];
    let record = record(header(), fields);
    let deltas = [
        (ops([touch(after(60), after(4000))]), vec!["b", "d", "e"]),
        (set("z", plain("1")), vec!["b", "d", "e", "z"]),
        (values([("e", None)]), vec!["b", "d"]),
        (clearing(Clear::AllButCarried, NO_VALUES), vec!["b", "d"]),
        (Delta { clear: Clear::AllButCarried, ..ops([]) }, vec!["b", "d"]),
        (clearing(Clear::All, NO_VALUES), vec![]),
    ];
    for (at, (delta, left)) in deltas.iter().enumerate() {
        assert_eq!(keys(&changed_at(&record, delta, after(50))), *left, "delta {at}");
    }
    for (at, delta) in [ops([]), values([("z", None)]), values([("a", None)]), set("e", plain("1"))].iter().enumerate()
    {
        let outcome = outcome(&record, delta, after(50));
        assert!(matches!(outcome, Outcome::Unchanged), "delta {at} makes no change, but: {outcome:?}");
    }
}

#[test]
fn fields_of_several_deadlines_end_one_by_one() {
    let mut record = record(header(), [("c", until(after(300), "1")), ("e", plain("1"))]);
    record = changed(&record, &values([("d", Some(until(after(400), "1"))), ("a", Some(until(after(100), "1")))]));
    let values = values([("b", Some(until(after(200), "1"))), ("x", Some(until(after(50), "1"))), ("x", None)]);
    record = changed(&record, &values);
    let steps: [(u64, &[&str]); 7] = [
        (99, &["a", "b", "c", "d", "e"]),
        (100, &["b", "c", "d", "e"]),
        (199, &["b", "c", "d", "e"]),
        (200, &["c", "d", "e"]),
        (299, &["c", "d", "e"]),
        (399, &["d", "e"]),
        (400, &["e"]),
    ];
    for (seconds, expected) in steps {
        record = changed_at(&record, &ops([touch(after(seconds), after(seconds))]), after(seconds));
        let mut left = keys(&record);
        left.sort_unstable();
        assert_eq!(left, expected, "after {seconds} s");
    }
}
