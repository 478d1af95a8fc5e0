//! `Add`.

use std::sync::Arc;

use super::fixture::{
    NOW, Session, add, add_within, after, carried, committed, delta, plain, refused_as_corrupt, set, until,
};
use super::seen::{Bytes, SeenField};
use crate::record::delta::FieldOp;
use crate::store::Store;

/// What a field holds, what is added, the bounds, and what the field holds then.
type Case<'a> = (Option<&'a str>, i128, (i128, i128), &'a str);

/// Additions are exact for every integer of up to 64 bits, and beyond, and stop at the bounds.
pub async fn an_addition_is_exact_and_saturates<S: Store>(store: Arc<S>) {
    const I8: (i128, i128) = (-128, 127);
    const U8: (i128, i128) = (0, 255);
    const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
    const U64: (i128, i128) = (0, u64::MAX as i128);
    const ALL: (i128, i128) = (i128::MIN, i128::MAX);
    let i128_min = i128::MIN.to_string();
    let i128_max = i128::MAX.to_string();
    let cases: &[Case<'_>] = &[
        (None, 5, I64, "5"),
        (None, -5, U64, "0"),
        (None, 0, U64, "0"),
        (None, 1, (10, 20), "10"),
        (None, 1, (-20, -10), "-10"),
        (Some("5"), -8, I64, "-3"),
        (Some("-5"), 8, I64, "3"),
        (Some("-5"), 5, I64, "0"),
        (Some("-5"), -5, I64, "-10"),
        (Some("250"), 10, U8, "255"),
        (Some("250"), 5, U8, "255"),
        (Some("250"), 4, U8, "254"),
        (Some("3"), -4, U8, "0"),
        (Some("100"), 100, I8, "127"),
        (Some("-100"), -100, I8, "-128"),
        (Some("300"), 0, U8, "255"),
        (Some("-1"), 0, U8, "0"),
        (Some("9007199254740992"), 1, I64, "9007199254740993"),
        (Some("-9007199254740992"), -1, I64, "-9007199254740993"),
        (Some("999999999999999"), 1, I64, "1000000000000000"),
        (Some("999999999999999"), 999_999_999_999_999, I64, "1999999999999998"),
        (Some("1000000000000000"), -1, I64, "999999999999999"),
        (Some("9223372036854775806"), 1, I64, "9223372036854775807"),
        (Some("9223372036854775807"), 1, I64, "9223372036854775807"),
        (Some("-9223372036854775807"), -1, I64, "-9223372036854775808"),
        (Some("-9223372036854775808"), -1, I64, "-9223372036854775808"),
        (Some("9223372036854775807"), i64::MIN as i128, I64, "-1"),
        (Some("-9223372036854775808"), i64::MAX as i128, I64, "-1"),
        (Some("18446744073709551614"), 1, U64, "18446744073709551615"),
        (Some("18446744073709551615"), 1, U64, "18446744073709551615"),
        (Some("18446744073709551615"), -1, U64, "18446744073709551614"),
        (Some("18446744073709551615"), -(u64::MAX as i128), U64, "0"),
        (Some("0"), u64::MAX as i128, U64, "18446744073709551615"),
        (Some("10000000000000000000"), -1, U64, "9999999999999999999"),
        (Some("1"), i128::MAX, I64, "9223372036854775807"),
        (Some(&i128_max), i128::MAX, ALL, &i128_max),
        (Some(&i128_min), i128::MIN, ALL, &i128_min),
        (Some(&i128_max), i128::MIN, ALL, "-1"),
        (Some(&i128_min), i128::MAX, I64, "-1"),
        (Some("-9223372036854775808"), 1 << 63, I64, "0"),
        (Some("9223372036854775807"), -(i64::MAX as i128), I64, "0"),
        (Some("+7"), 1, I64, "8"),
        (Some("007"), 1, I64, "8"),
        (Some("-0"), 0, I64, "0"),
        (Some("-000000000000000000000000000000000000000000000000003"), 1, I64, "-2"),
    ];
    for &(held, by, (min, max), expected) in cases {
        let session = Session::with(&store, held.map(|held| ("n", plain(held)))).await;
        session.apply([add_within("n", by, min, max)]).await;
        let sum = session.bytes("n").await.map(Bytes);
        assert_eq!(sum, Some(Bytes(expected.into())), "{held:?} + {by} within {min}..={max}");
    }
}

/// `Add` decides whether the field is carried, and ends its deadline.
pub async fn a_carried_counter_stays_carried<S: Store>(store: Arc<S>) {
    for (held, carried) in
        [(carried("1"), false), (plain("1"), true), (until(after(9), "1"), true), (carried("1"), true)]
    {
        let session = Session::with(&store, [("n", held)]).await;
        let add = FieldOp::Add { key: "n".into(), by: 1, min: 0, max: 9, carried };
        committed(session.commit(&delta([], [add])).await);
        let expected = SeenField { bytes: Bytes(b"2".to_vec()), carried, deadline: None };
        assert_eq!(session.seen().await.fields["n"], expected);
    }
}

/// Adding to what is not an integer fails, and changes nothing.
pub async fn what_is_not_an_integer_is_not_added_to<S: Store>(store: Arc<S>) {
    let too_large = ["170141183460469231731687303715884105728", "-170141183460469231731687303715884105729"];
    let texts =
        ["", " ", "a", "1 ", " 1", "1.0", "1e3", "0x10", "--1", "+", "-", "null", "\"1\"", "1\n", "1\0", "!c 1", "١"];
    for text in texts.into_iter().chain(too_large) {
        let session = Session::with(&store, [("n", plain(text)), ("a", plain("1"))]).await;
        let before = session.seen().await;
        let change = delta([], [set("a", plain("2")), add("n", 1), set("b", plain("3"))]);
        refused_as_corrupt(session.try_commit(0, &change, NOW).await, &format!("adding to {text:?}"));
        assert_eq!(session.seen().await, before, "[P6] adding to {text:?} changes nothing");
    }
}
