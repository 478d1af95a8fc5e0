//! Periodic renewals of the secret.

use super::fixture::{NOW, Outcome, Seen, after, changed_at, header, ops, outcome, record, secret};
use crate::record::Record;
use crate::record::delta::HeaderOp;
use crate::record::header::{Header, PreviousSecret};
use crate::time::Timestamp;

fn renew(if_current: u8, to: u8, at: Timestamp) -> HeaderOp {
    HeaderOp::Renew { if_current: secret(if_current), secret: secret(to), at }
}

fn end_previous(if_current: u8, until: Timestamp) -> HeaderOp {
    HeaderOp::EndPrevious { if_current: secret(if_current), at: NOW, until }
}

fn previous(number: u8, renewed: Timestamp, until: Option<Timestamp>) -> Option<PreviousSecret> {
    Some(PreviousSecret { secret: secret(number), renewed, used: until.map(|_| NOW), until })
}

fn with(current: u8, previous: Option<PreviousSecret>) -> Seen {
    Seen::new(Header { secret: secret(current), previous, ..header() }, [])
}

#[track_caller]
fn done(record: &Record, op: HeaderOp) -> Record {
    changed_at(record, &ops([op]), NOW)
}

#[track_caller]
fn nothing(record: &Record, op: HeaderOp) {
    let outcome = outcome(record, &ops([op]), NOW);
    assert!(matches!(outcome, Outcome::Unchanged), "nothing happens, but: {outcome:?}");
}

#[test]
fn a_renewal_is_conditional_and_keeps_the_previous_secret() {
    let renewed = done(&record(header(), []), renew(0, 1, after(1)));
    assert_eq!(Seen::of(&renewed), with(1, previous(0, after(1), None)), "[P3] no generation is raised");
    nothing(&renewed, renew(0, 2, after(2)));
}

#[test]
fn a_renewal_drops_no_secret_that_is_in_use() {
    let renewed = done(&done(&record(header(), []), renew(0, 1, after(1))), renew(1, 2, after(2)));
    assert_eq!(Seen::of(&renewed), with(2, previous(0, after(2), None)), "1 was never used");

    let used = done(&renewed, end_previous(2, after(30)));
    nothing(&used, renew(2, 3, after(29)));
    assert_eq!(Seen::of(&used), with(2, previous(0, after(2), Some(after(30)))), "0 is in use");

    let again = done(&used, renew(2, 3, after(30)));
    assert_eq!(Seen::of(&again), with(3, previous(2, after(30), None)), "0 has ended");
}

#[test]
fn the_end_of_the_previous_secret_only_moves_earlier() {
    let first = record(header(), []);
    nothing(&first, end_previous(0, after(9)));
    let mut renewed = done(&first, renew(0, 1, NOW));
    nothing(&renewed, end_previous(0, after(9)));
    // Each end that is asked for, and the end then.
    for (asked, end) in [(30, 30), (40, 30), (20, 20), (20, 20), (0, 0), (5, 0)] {
        if let Outcome::Changed(record) = outcome(&renewed, &ops([end_previous(1, after(asked))]), NOW) {
            renewed = record;
        }
        assert_eq!(Seen::of(&renewed), with(1, previous(0, NOW, Some(after(end)))), "{asked}");
    }
}

#[test]
fn two_renewals_in_one_delta_leave_the_secret_that_the_client_has() {
    let twice = changed_at(&record(header(), []), &ops([renew(0, 4, NOW), renew(4, 5, NOW)]), NOW);
    assert_eq!(Seen::of(&twice), with(5, previous(0, NOW, None)));
}
