//! Encryption at rest: of which a dump shows nothing, and everything else works as it does without.

mod attack;
mod fields;
mod key_ring;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessionkit::store::{Entry, EntryKey, Record, ReplaceOutcome, Store as _, StoredValue};
use sessionkit::{KeyRing, SessionData, SessionId};
use sessionkit_tests::harness::{Bench, Visitor};

/// A secret of each kind.
#[derive(SessionData)]
#[session(name = "vault")]
struct Vault {
    #[session(sensitive)]
    otp: Option<String>,
    #[session(sensitive)]
    pin: Option<String>,
    #[session(sensitive, merge = add)]
    count: u32,
    #[session(sensitive, merge = append)]
    log: Vec<String>,
    #[session(sensitive, flash)]
    notice: Option<String>,
    #[session(sensitive, ttl = "10m")]
    code: Option<String>,
    #[session(sensitive, entries)]
    tags: BTreeMap<String, String>,
    #[session(sensitive, carry)]
    mine: Option<String>,
    open: Option<String>,
}

impl Vault {
    fn change(&mut self, what: &str) {
        let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
        match what {
            "otp" => self.otp = Some(argument.into()),
            "pin" => self.pin = Some(argument.into()),
            "count" => self.count += argument.parse::<u32>().expect("the test sends a number"),
            "append" => self.log.push(argument.into()),
            "notify" => self.notice = Some(argument.into()),
            "take" => drop(self.notice.take()),
            "code" => self.code = Some(argument.into()),
            "tag" => drop(self.tags.insert(argument.into(), format!("tagged-{argument}"))),
            "mine" => self.mine = Some(argument.into()),
            "open" => self.open = Some(argument.into()),
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        let Self { otp, pin, count, log, notice, code, tags, mine, open } = self;
        format!("{otp:?} {pin:?} {count} {log:?} {notice:?} {code:?} {tags:?} {mine:?} {open:?}")
    }
}

const EVERYTHING: &str = "otp top-otp, pin top-pin, count 70007, append top-log, notify top-notice, code top-code, tag x, \
                          mine top-mine, open seen";
const SHOWN: &str = r#"Some("top-otp") Some("top-pin") 70007 ["top-log"] Some("top-notice") Some("top-code") {"x": "tagged-x"} Some("top-mine") Some("seen")"#;
const NOTHING: &str = r#"None None 0 [] None None {} None None"#;
const SECRETS: [&str; 8] = ["top-otp", "top-pin", "70007", "top-log", "top-notice", "top-code", "tagged-x", "top-mine"];

/// Random keys.
const KEYS: [&str; 3] = [
    "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5xOiS3yMvNlc",
    "zX8vN2qLw5Rt7Yb1Mh4Jk9Pd3Gs6Fa0CeUiOlTnVxEg",
    "b6f1c3d84e9a07f25d1b8c3e6a4f907d2c5b8e1a3f6d9047c2e5b8a1d3f60947",
];

/// Returns the ring of these keys, the first of them active.
fn ring(keys: &[usize]) -> KeyRing {
    keys.iter().map(|key| KEYS[*key]).collect::<Vec<_>>().join(",").parse().expect("the keys are random")
}

/// Returns the bench of a server with these keys.
fn with_keys(bench: &Bench, keys: &[usize]) -> Bench {
    bench.clone().with_keyless_config(|config| config.keys(ring(keys)))
}

async fn ok(visitor: &Visitor, path: &str, body: &str) -> String {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer.body
}

fn id_of(visitor: &Visitor) -> SessionId {
    let token = visitor.token().expect("the visitor has a session");
    let bytes = URL_SAFE_NO_PAD.decode(token).expect("a token is base64url");
    SessionId::from_bytes(bytes[..16].try_into().expect("a token has 48 bytes"))
}

async fn record_of(bench: &Bench, id: SessionId) -> Record {
    let entry = bench.store.inner().load(&EntryKey::session(id)).await.expect("the store answers");
    let entry = entry.expect("the session is stored");
    Record::from_bytes(entry.shared_bytes().clone()).expect("the record is whole")
}

/// Returns the stored fields of a session.
async fn fields_of(bench: &Bench, id: SessionId) -> BTreeMap<String, StoredValue> {
    let record = record_of(bench, id).await;
    record.fields().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Puts other fields into a stored session, as an attacker does who can write to the store.
async fn put_fields(bench: &Bench, id: SessionId, fields: &BTreeMap<String, StoredValue>) {
    let (held, key) = (record_of(bench, id).await, EntryKey::session(id));
    let fields = fields.iter().map(|(key, value)| (&**key, value.as_ref()));
    let record = Record::from_fields(held.header().clone(), fields);
    let entry = Entry::new(record.as_bytes().clone(), Duration::from_secs(86_400));
    let outcome = bench.store.inner().replace(&key, held.revision(), &entry).await.expect("the store answers");
    assert!(matches!(outcome, ReplaceOutcome::Replaced), "{outcome:?}");
}
