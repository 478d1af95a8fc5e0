//! Tests of deltas that encrypt what they write.

use super::fixture::{NOW, Outcome, after, changed, header, outcome, plain, record, set, until, values};
use crate::encryption::{Cipher, EncryptedFields, KeyRing};
use crate::record::delta::{Delta, StoredValue};
use crate::token::SessionId;

const ID: SessionId = SessionId::from_bytes([3; 16]);

fn encrypting(keys: &KeyRing, fields: EncryptedFields, delta: Delta) -> Delta {
    Delta { cipher: Some(Box::new(Cipher::new(keys.clone(), "Main", ID, fields))), ..delta }
}

fn secret(bytes: &str) -> StoredValue {
    StoredValue { sensitive: true, ..plain(bytes) }
}

#[test]
fn a_delta_makes_the_same_of_a_record_each_time() {
    let (keys, before) = (KeyRing::generate(), record(header(), [("a", plain("1"))]));
    let delta = values([("a", Some(secret("2"))), ("b", Some(secret("2"))), ("c", Some(plain("2")))]);
    let delta = encrypting(&keys, EncryptedFields::Sensitive, delta);
    let [one, other] = [changed(&before, &delta), changed(&before, &delta)];
    assert_eq!(one.as_bytes(), other.as_bytes());
    let stored = |key| one.field(key, NOW).unwrap();
    assert!(stored("a").encrypted && stored("b").encrypted && !stored("c").encrypted);
    assert_ne!(stored("a").bytes, stored("b").bytes, "a place has its own encryption");
}

#[test]
fn an_equal_value_is_no_change_and_one_with_other_flags_is() {
    let keys = KeyRing::generate();
    let write = |value| encrypting(&keys, EncryptedFields::Sensitive, set("a", value));
    let before = changed(&record(header(), []), &write(secret("1")));
    assert!(matches!(outcome(&before, &write(secret("1")), NOW), Outcome::Unchanged));
    let carried = StoredValue { carried: true, ..secret("1") };
    let later = StoredValue { sensitive: true, ..until(after(9), "1") };
    for other in [secret("2"), secret("11"), carried, later, plain("1")] {
        assert!(matches!(outcome(&before, &write(other.clone()), NOW), Outcome::Changed(_)), "{other:?}");
    }
}

#[test]
fn an_equal_value_is_encrypted_again_if_another_key_is_active() {
    let (old, new) = (KeyRing::generate_key(), KeyRing::generate_key());
    let (before, after): (KeyRing, KeyRing) = (old.parse().unwrap(), format!("{new} {old}").parse().unwrap());
    let write = |keys: &KeyRing| encrypting(keys, EncryptedFields::Sensitive, set("a", secret("1")));
    let stored = changed(&record(header(), []), &write(&before));
    let again = changed(&stored, &write(&after));
    let key_of = |record: &crate::Record| record.field("a", NOW).unwrap().key_id();
    assert_eq!((key_of(&stored), key_of(&again)), (Some(before.active_id()), Some(after.active_id())));
}

#[test]
fn the_settings_say_what_is_encrypted() {
    let keys = KeyRing::generate();
    let write = |fields| {
        let delta = values([("a.b", Some(secret("1"))), ("a.c", Some(plain("1"))), ("a.@version", Some(secret("1")))]);
        let stored = changed(&record(header(), []), &encrypting(&keys, fields, delta));
        ["a.b", "a.c", "a.@version"].map(|key| stored.field(key, NOW).unwrap().encrypted)
    };
    assert_eq!(write(EncryptedFields::Nothing), [false, false, false]);
    assert_eq!(write(EncryptedFields::Sensitive), [true, false, false]);
    assert_eq!(write(EncryptedFields::All), [true, true, false]);
}
