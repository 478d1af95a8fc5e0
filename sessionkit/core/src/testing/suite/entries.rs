//! Tests that stored entries come back.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{KINDS, Seen, Slot, entry, entry_of, generation, numbered, revision};
use crate::record::Record;
use crate::record::details::LoginDetails;
use crate::record::header::Header;
use crate::record::list::{ListedSession, SessionList};
use crate::store::Store;
use crate::store::entry::Entry;
use crate::store::key::EntryKey;
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

/// Lengths at which a store may begin to do something else; a store holds what is too short to be an entry, too.
fn odd_lengths() -> impl Iterator<Item = usize> {
    let more = [87, 127, 128, 129, 255, 256, 257, 4095, 4096, 4097, 65_535, 65_536, 1024 * 1024];
    (0..=40).chain(more)
}

fn odd_bytes() -> Vec<Vec<u8>> {
    let texts = [
        "\r\n",
        "\0",
        " ",
        "\n\n",
        "é",
        "\u{1f36a}",
        "'; drop table sessions; --",
        "$1\r\nx\r\n",
        "\\x41",
        "%00",
        "{\"a\":1}",
        "null",
        "nan",
        "123",
        "\u{feff}x",
    ];
    let mut bytes: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    bytes.push((0..=255).collect());
    bytes.push(vec![0; 500]);
    bytes.push(vec![0xff; 500]);
    // Nowhere valid UTF-8.
    bytes.push(vec![0xc0, 0x80, 0xfe, 0xf5]);
    bytes
}

/// An entry of any length comes back as it was inserted.
pub async fn an_entry_of_any_length_comes_back<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        for length in odd_lengths() {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            let (slot, stored) = (Slot::new(&store, kind), entry(bytes));
            slot.fill(&stored).await;
            assert_eq!(slot.load().await, Seen::found(&stored), "[P6] {length} bytes come back as they were inserted");
        }
    }
}

/// An entry that took the place of another one comes back, the longer one and the shorter one.
pub async fn a_replaced_entry_comes_back<S: Store>(store: Arc<S>) {
    let slot = Slot::with(&store, &numbered(0)).await;
    for (number, length) in (0..).zip([0, 1, 200, 3, 1024 * 1024, 40, 65_536, 0]) {
        let rest: Vec<u8> = (0..length).map(|at: usize| (at * 31 % 251) as u8).collect();
        let next = entry_of(revision(number + 1), generation(number % 2), &rest);
        assert_eq!(slot.replace(revision(number), &next).await, Seen::Replaced, "the revision is the stored one");
        assert_eq!(slot.load().await, Seen::found(&next), "[P6] an entry replaces all of the one before");
        let refused = slot.replace(revision(99), &numbered(0)).await;
        assert_eq!(refused, Seen::changed(&next), "[P6] a refusal shows all of the newest entry");
    }
}

/// Any bytes come back as they are: no byte ends an entry, and none is text.
pub async fn any_bytes_come_back<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        for rest in odd_bytes() {
            let (slot, stored) = (Slot::new(&store, kind), entry_of(revision(1), generation(2), &rest));
            slot.fill(&stored).await;
            assert_eq!(slot.load().await, Seen::found(&stored), "[P6] bytes come back as they were inserted");
            let again = [&rest[..], &rest].concat();
            let next = entry_of(revision(2), generation(2), &again);
            assert_eq!(slot.replace(revision(1), &next).await, Seen::Replaced);
            assert_eq!(slot.load().await, Seen::found(&next), "[P6] bytes come back as they replaced others");
        }
    }
}

/// Sessions and lists are stored whatever a user is called: not every database takes every text.
pub async fn any_text_may_be_shown<S: Store>(store: Arc<S>) {
    let long = "u".repeat(5000);
    for text in ["", " ", "ada", "0", "a\0b", "Ада \u{1f36a}", "\r\n", "';", "\u{ffff}", &long] {
        for stored in [session(text), list(text)] {
            let kind = stored.summary().expect("the entry is whole").kind;
            let slot = Slot::new(&store, kind);
            slot.fill(&stored).await;
            assert_eq!(slot.load().await, Seen::found(&stored), "[P6] the user is {text:?}");
        }
    }
}

/// Each key has an entry of its own, however little it differs from another one.
pub async fn keys_are_kept_apart<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        let slots: Vec<_> = similar(Slot::new(&store, kind).key).into_iter().map(|key| at(&store, key)).collect();
        for (number, slot) in (0..).zip(&slots) {
            assert_eq!(
                slot.insert(&numbered(number)).await,
                Seen::Inserted,
                "{:?} is not {:?}",
                slot.key,
                slots[0].key
            );
        }
        for (number, slot) in (0..).zip(&slots) {
            assert_eq!(slot.load().await, Seen::found(&numbered(number)), "{:?} has an entry of its own", slot.key);
        }
        let (first, others) = slots.split_first().expect("there are some");
        assert_eq!(first.remove(generation(0)).await, Seen::Removed);
        for (number, slot) in (1..).zip(others) {
            assert_eq!(slot.load().await, Seen::found(&numbered(number)), "{:?} was not removed", slot.key);
        }
    }
}

fn at<S>(store: &Arc<S>, key: EntryKey) -> Slot<S> {
    Slot { store: store.clone(), key }
}

/// A key, and others that are like it.
fn similar(key: EntryKey) -> Vec<EntryKey> {
    let name = &key.as_bytes()[1..];
    let mut keys = vec![key];
    for (place, change) in [(0, 0x80), (7, 1), (name.len() - 1, 1), (name.len() - 1, 0x80)] {
        let mut bytes = key.as_bytes().to_vec();
        bytes[1 + place] ^= change;
        keys.extend(EntryKey::from_bytes(&bytes));
    }
    // The other case of each letter but the last, which not every letter can be.
    let text = key.to_string();
    let swap =
        |letter: char| if letter.is_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
    let swapped: String = text[..text.len() - 1].chars().map(swap).collect();
    keys.extend(EntryKey::parse(&format!("{swapped}{}", &text[text.len() - 1..])));
    // The key of the other kind that begins alike.
    let mut other = [0; 32];
    other[..name.len()].copy_from_slice(name);
    keys.push(match key.session_id() {
        Some(_) => EntryKey::list_named(&other),
        None => EntryKey::session(SessionId::from_bytes(*name.first_chunk().expect("a list has a long name"))),
    });
    keys
}

fn session(text: &str) -> Entry {
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let mut header = Header::new(SecretHash::from_bytes([7; 32]), now, Duration::from_secs(60), None);
    header.scope = text.to_owned().into();
    (header.user_id, header.device_label) = (Some(text.into()), Some(text.into()));
    header.details = LoginDetails { actor: Some(text.into()), ..LoginDetails::default() }.shared();
    Entry::of_record(&Record::new(header).sealed(5), now)
}

fn list(text: &str) -> Entry {
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let mut list = SessionList::new(text, text);
    list.entries.push(ListedSession {
        id: SessionId::from_bytes([3; 16]),
        is_ended: false,
        generation: generation(1),
        registered: now,
        until: now.saturating_add(Duration::from_secs(60)),
    });
    Entry::of_list(&list, now)
}
