//! The bytes of the format, version 1: other releases and other languages read them.

use std::time::Duration;

use crate::record::Record;
use crate::record::clock::{AUTHENTICATED, ClockNote, SEEN};
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{FieldDeadline, StoredValue};
use crate::record::details::LoginDetails;
use crate::record::front::{EntryKind, Generation, History, Unreadable, kind_of};
use crate::record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn after(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn hash(byte: u8) -> SecretHash {
    SecretHash::from_bytes([byte; 32])
}

/// Reads hexadecimal digits, between which there may be spaces.
fn hex(lines: &[&str]) -> Vec<u8> {
    let digits: Vec<u32> = lines.concat().chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| (high * 16 + low) as u8).collect()
}

/// A record with everything in it.
fn full() -> Record {
    let header = Header {
        scope: "Office".into(),
        authenticated: Some(after(30)),
        last_seen: after(60),
        idle_deadline: after(3660),
        absolute_deadline: Some(after(86_400)),
        generation: Generation::from_number(70_000),
        previous: Some(PreviousSecret {
            secret: hash(8),
            renewed: after(10),
            used: Some(after(20)),
            until: Some(after(40)),
        }),
        rotation: Some(LastRotation { at: after(5), replaced: hash(9), beside: None, same_owner: true }),
        clock: Some(Box::new(ClockNote {
            noticed: NOW.saturating_sub(Duration::from_secs(80)),
            lead: Duration::from_secs(80),
            times: AUTHENTICATED | SEEN,
            shown: None,
        })),
        user_id: Some("ada".into()),
        device_label: Some("laptop".into()),
        details: LoginDetails {
            methods: vec!["pwd".into(), "otp".into()],
            actor: Some("grace".into()),
            stamp: Some(CredentialStamp::from_bytes([1, 2, 3, 4, 5, 6, 7, 8])),
            own_lifetime: true,
        }
        .shared(),
        ..Header::new(hash(7), NOW, Duration::from_secs(3600), None)
    };
    let code = StoredValue {
        carried: true,
        deadline: Some(FieldDeadline::after(NOW, Duration::from_secs(600))),
        ..StoredValue::new("123")
    };
    let pin = StoredValue { sensitive: true, ..StoredValue::new("4711") };
    let otp = StoredValue { sensitive: true, encrypted: true, ..StoredValue::new([0xc1, 1, 0xff]) };
    let (items, long) = (StoredValue::new("[1,2]"), StoredValue::new([b'x'; 300]));
    let fields = [
        ("cart.items", items.as_ref()),
        ("cart.code", code.as_ref()),
        ("cart.pin", pin.as_ref()),
        ("cart.otp", otp.as_ref()),
        ("l", long.as_ref()),
    ];
    Record::from_fields(header, fields).sealed(0x0102_0304).sealed(0xa1b2_c3d4)
}

fn full_bytes() -> Vec<u8> {
    let sevens = "07".repeat(32);
    let eights = "08".repeat(32);
    let nines = "09".repeat(32);
    let xs = "78".repeat(300);
    hex(&[
        // The front: version, revision, generation, kind, the random numbers before.
        "01 00000002 a1b2c3d4 00011170 73",
        "01020304 00000000 00000000 00000000",
        // created, authenticated, last_seen, idle_deadline, absolute_deadline, ttl, secret.
        "006553f100 0000001f 0000003c 00000e4c 00015181 00000e10",
        &sevens,
        // The user, the scope, the label.
        "81 03 616461",
        "c8 06 4f6666696365",
        "02 06 6c6170746f70",
        // The methods, the actor, the stamp, a lifetime of its own.
        "03 07 707764206f7470",
        "84 05 6772616365",
        "05 08 0102030405060708",
        "0b 00",
        // The previous secret, when it was renewed, and when it ends.
        "46 2f",
        &eights,
        "006553f10a 006553f128 006553f114",
        // The last rotation, what it replaced, and that the owner stayed.
        "47 26 006553f105",
        &nines,
        "01",
        // The note of a server whose clock is behind.
        "ca 0a 006553f0b0 00000050 06",
        // The end of the parts.
        "00",
        // cart.items, without flags.
        "0a 636172742e6974656d73 00 05 5b312c325d",
        // cart.code, carried, with a deadline and the time that it was granted.
        "09 636172742e636f6465 03 d8e6cfaa06 d804 03 313233",
        // cart.pin, sensitive.
        "08 636172742e70696e 04 04 34373131",
        // cart.otp, sensitive and encrypted.
        "08 636172742e6f7470 24 03 c101ff",
        // l, whose length takes two bytes.
        "01 6c 00 ac02",
        &xs,
    ])
}

#[test]
fn a_record_has_the_bytes_that_are_documented() {
    assert_eq!(full().as_bytes()[..], full_bytes(), "as it is written");
    let read = Record::from_bytes(full_bytes()).unwrap();
    assert_eq!(format!("{:?}", read.header()), format!("{:?}", full().header()), "as it is read");
    for (read, written) in [
        (read.header().secret, hash(7)),
        (read.header().previous.unwrap().secret, hash(8)),
        (read.header().rotation.unwrap().replaced, hash(9)),
    ] {
        assert!(read == written);
    }
    assert_eq!(read.header().details, full().header().details);
    assert!(read.fields().eq(full().fields()));
}

#[test]
fn a_visitors_record_is_as_short_as_can_be() {
    let record = Record::new(Header::new(hash(7), NOW, Duration::from_secs(60), None));
    let sevens = "07".repeat(32);
    let bytes = hex(&[
        "01 00000000 00000000 00000000 73 00000000 00000000 00000000 00000000",
        "006553f100 00000000 00000000 0000003c 00000000 0000003c",
        &sevens,
        "00",
    ]);
    assert_eq!((record.as_bytes()[..] == bytes, bytes.len()), (true, 88));
}

/// A list of two sessions, one of which was ended.
fn list() -> SessionList {
    let session = |byte, is_ended| ListedSession {
        id: SessionId::from_bytes([byte; 16]),
        is_ended,
        generation: Generation::from_number(70_000),
        registered: after(10),
        until: after(3660),
    };
    let mut list = SessionList::new("Main", "ada");
    list.history = History::default().next(0x0102_0304).next(0xa1b2_c3d4);
    list.epoch = ListEpoch([1, 2, 3, 4, 5, 6, 7, 8]);
    list.entries = vec![session(0x33, false), session(0x44, true)];
    list
}

fn list_bytes() -> Vec<u8> {
    hex(&[
        // The front, whose generation is never raised.
        "01 00000002 a1b2c3d4 00000000 6c",
        "01020304 00000000 00000000 00000000",
        // The epoch, the scope, the user.
        "0102030405060708",
        "04 4d61696e",
        "03 616461",
        // Two sessions: id, flags, generation, login, end.
        "33333333333333333333333333333333 00 00011170 006553f10a 006553ff4c",
        "44444444444444444444444444444444 01 00011170 006553f10a 006553ff4c",
    ])
}

#[test]
fn a_list_has_the_bytes_that_are_documented() {
    assert_eq!(list().to_bytes(), list_bytes(), "as it is written");
    assert_eq!(
        format!("{:?}", SessionList::from_bytes(&list_bytes()).unwrap()),
        format!("{:?}", list()),
        "as it is read"
    );
}

#[test]
fn torn_bytes_are_damaged() {
    let (record, list) = (full_bytes(), list_bytes());
    for end in 0..record.len() {
        match Record::from_bytes(&record[..end]) {
            Err(why) => assert_eq!(why, Unreadable::Damaged, "{end}"),
            // A cut between two fields is a shorter record: stores that can tear frame their bytes.
            Ok(read) => assert!(read.fields().count() < 5 && read.header().user_id.is_some(), "{end}"),
        }
    }
    for end in 0..list.len() {
        match SessionList::from_bytes(&list[..end]) {
            Err(why) => assert_eq!(why, Unreadable::Damaged, "{end}"),
            Ok(read) => assert!(read.entries.len() < 2, "{end}"),
        }
    }
    for more in [&b"\x01"[..], &[0xff; 40], &[0; 31]] {
        let bytes = [&record[..], more].concat();
        // Zeros may be fields without a name.
        let read = Record::from_bytes(bytes).map(|read| read.fields().count());
        assert!(read.is_err() || more.iter().all(|byte| *byte == 0), "{read:?}");
        assert!(SessionList::from_bytes(&[&list[..], &more[..more.len().min(30)]].concat()).is_err());
    }
}

#[test]
fn only_whole_parts_are_read() {
    let known = Record::new(Header::new(hash(7), NOW, Duration::from_secs(60), None));
    let with = |part: &[u8]| {
        let (_, before) = known.as_bytes().split_last().unwrap();
        Record::from_bytes([before, part, &[0]].concat())
    };
    assert!(with(b"\x81\x03ada").is_ok_and(|record| record.header().user_id.as_deref() == Some("ada")));
    let damaged: [&[u8]; 9] = [
        b"\x81\x03ad",
        b"\x81\x02\xff\xfe",
        b"\xc8\x02\xff\xfe",
        b"\x02\x02\xff\xfe",
        b"\x05\x07stamped",
        b"\x46\x05short",
        b"\x46\x26oneoneoneoneoneoneoneoneoneoneoneo\0\0\0\0",
        b"\x47\x26\0\0\0\0\x01oneoneoneoneoneoneoneoneoneoneon\x02",
        b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ];
    for part in damaged {
        assert_eq!(with(part).unwrap_err(), Unreadable::Damaged, "{}", part.escape_ascii());
    }
}

#[test]
fn a_version_that_is_not_known_is_no_damage() {
    for version in 2..=31 {
        let (mut record, mut list) = (full_bytes(), list_bytes());
        (record[0], list[0]) = (version, version);
        // What follows may be anything.
        record.truncate(31);
        assert_eq!(Record::from_bytes(record).unwrap_err(), Unreadable::UnknownVersion(version));
        assert_eq!(SessionList::from_bytes(&list).unwrap_err(), Unreadable::UnknownVersion(version));
    }
    for version in [0, 32, b'{', 0x80, 0xff] {
        let mut record = full_bytes();
        record[0] = version;
        assert_eq!(Record::from_bytes(record).unwrap_err(), Unreadable::Damaged);
    }
}

#[test]
fn one_kind_is_not_read_as_the_other() {
    assert_eq!(Record::from_bytes(list_bytes()).unwrap_err(), Unreadable::Damaged);
    assert_eq!(SessionList::from_bytes(&full_bytes()).unwrap_err(), Unreadable::Damaged);
    assert_eq!(kind_of(&list_bytes()), Some(EntryKind::SessionList));
    assert_eq!(kind_of(&full_bytes()), Some(EntryKind::Session));
}

#[test]
fn no_bytes_make_a_reader_panic() {
    for (at, whole) in [full_bytes(), list_bytes()].into_iter().enumerate() {
        for place in 0..whole.len() {
            for change in [0x01, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] ^= change;
                if at == 0 {
                    let read = Record::from_bytes(bytes);
                    drop(read.map(|record| (record.fields().count(), record.sealed(1), format!("{record:?}"))));
                } else {
                    drop(SessionList::from_bytes(&bytes).map(|list| list.to_bytes()));
                }
            }
        }
    }
}

#[test]
fn printing_a_record_shows_no_secret_and_no_value() {
    let shown = format!("{:?}", full());
    assert!(shown.contains("cart.items") && shown.contains("SecretHash(..)"));
    assert!(!shown.contains("123") && !shown.contains("0707") && !shown.contains("7, 7, 7"), "{shown}");
}

#[test]
fn the_secrets_from_before_a_rotation_stand_one_beside_the_other() {
    let former = |secret, authenticated, methods: &[&str]| FormerSecret {
        secret: hash(secret),
        until: after(300),
        authenticated,
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
    };
    let header = Header {
        rotation: Some(LastRotation { at: after(5), replaced: hash(9), beside: Some(hash(8)), same_owner: false }),
        former: Some([former(9, Some(after(1)), &["pwd", "otp"]), former(8, None, &[])].into()),
        ..Header::new(hash(7), NOW, Duration::from_secs(60), None)
    };
    let record = Record::new(header);
    let (eights, nines) = ("08".repeat(32), "09".repeat(32));
    let parts = [
        // The last rotation, what it replaced, that the owner changed, and what it replaced beside.
        "47 46 006553f105",
        &nines,
        "00",
        &eights,
        // The secrets that still open it, when they end, the proof that they stand for.
        "49 31 ",
        &nines,
        "006553f22c 006553f101 707764206f7470",
        "49 2a",
        &eights,
        "006553f22c 0000000000",
        // The end of the parts.
        "00",
    ];
    assert!(record.as_bytes().ends_with(&hex(&parts)), "{:02x?}", record.as_bytes());
    let read = Record::from_bytes(record.as_bytes().clone()).unwrap();
    assert_eq!(format!("{:?}", read.header()), format!("{:?}", record.header()));
    assert_eq!(read.header().former, record.header().former);
    assert!(read.header().rotation.unwrap().has_replaced(&hash(8)));
    assert!(!read.header().rotation.unwrap().has_replaced(&hash(7)));
}
