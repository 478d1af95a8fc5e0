//! The output for operators: one session, those of a user, those of everyone.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};
use sessionkit::store::{EntryKey, Record, Store as _};
use sessionkit::testing::TestSession;

use crate::support::{Account, Office, Place, command, id, log_in, visit};

#[tokio::test]
async fn a_session_is_shown_without_its_secrets() {
    for place in Place::all().await {
        let (_, id) = log_in(&place.manager(), "ada").await;
        let id_text = id.to_string();
        let entry = place.store.load(&EntryKey::session(id)).await.unwrap().unwrap();
        let record = Record::from_bytes(entry.shared_bytes().clone()).unwrap();
        let hash: String = record.header().secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();

        let text = crate::support::run(&["inspect", &id_text, "--store", &place.url], None);
        assert_eq!((text.code, text.error.as_str()), (Some(0), ""));
        for part in [
            &*id_text,
            "Main",
            "ada",
            "laptop",
            "pwd, otp",
            "account.nickname",
            "account.pin",
            "(hidden)",
            "carried, until",
        ] {
            assert!(text.shown.contains(part), "{part}: {}", text.shown);
        }
        let session = place.json(&["inspect", &id_text]);
        assert!(!session.to_string().contains(&hash) && !text.shown.contains(&hash));
        for (name, expected) in [
            ("id", json!(id_text)),
            ("scope", json!("Main")),
            ("user", json!("ada")),
            ("actor", Value::Null),
            ("device_label", json!("laptop")),
            ("methods", json!(["pwd", "otp"])),
            ("is_expired", json!(false)),
            ("generation", json!(record.header().generation.number())),
            ("size", json!(entry.bytes().len())),
        ] {
            assert_eq!(session[name], expected, "{name}");
        }
        let field = |key: &str| {
            let fields = session["fields"].as_array().unwrap();
            fields.iter().find(|field| field["key"] == key).expect("the field is shown").clone()
        };
        assert_eq!(field("account.nickname")["value"], "Ada\u{9b}31m\u{1b}[2J");
        let (pin, visits) = (field("account.pin"), field("account.visits"));
        // 13 bytes, and what encrypting them adds.
        assert_eq!((&pin["value"], &pin["sensitive"], &pin["size"]), (&json!("(hidden)"), &json!(true), &json!(47)));
        assert_eq!((&visits["value"], &visits["carried"]), (&json!(7), &json!(true)));
        assert!(visits["deadline"].as_str().is_some_and(|deadline| deadline.ends_with('Z')), "{visits}");
    }
}

#[tokio::test]
async fn the_sessions_of_a_user_are_listed() {
    for place in Place::all().await {
        let manager = place.manager();
        let ((_, first), (_, second)) = (log_in(&manager, "grace").await, log_in(&manager, "grace").await);
        let text = place.run(&["list", "--user", "grace"]);
        assert_eq!(text.code, Some(0), "{}", text.error);
        assert!(text.shown.contains(&first.to_string()) && text.shown.contains("device    laptop"), "{}", text.shown);

        let entry = place.store.load(&EntryKey::session(first)).await.unwrap().unwrap();
        place.store.remove(&EntryKey::session(first), entry.generation().unwrap()).await.unwrap();
        let list = place.json(&["list", "--user=grace", "--scope", "Main"]);
        assert_eq!((&list["user"], &list["scope"]), (&json!("grace"), &json!("Main")));
        let rows = list["sessions"].as_array().unwrap().iter();
        let states: Vec<_> = rows.map(|row| (&row["id"], &row["state"])).collect();
        let (first, second) = (json!(first.to_string()), json!(second.to_string()));
        assert_eq!(states, [(&first, &json!("gone")), (&second, &json!("alive"))]);
    }
}

/// The lines of `list --json`, by their ids.
fn listed(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let output = place.run(&[&["list", "--json"], arguments].concat());
    assert_eq!((output.code, output.error.as_str()), (Some(0), ""));
    let mut rows: Vec<Value> = output.shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["user"].to_string());
    rows
}

#[tokio::test]
async fn everyone_is_listed_visitors_and_other_scopes_too() {
    for place in Place::all().await {
        let manager = place.manager();
        let (_, ada) = log_in(&manager, "ada").await;
        let (_, visitor) = visit(&manager).await;
        let bob = id(&TestSession::new(&place.manager_of::<Office>()).login("bob\u{1b}[2J").await).await;
        let seen = |row: &Value| (row["id"].clone(), row["scope"].clone(), row["user"].clone());
        let all: Vec<_> = listed(&place, &[]).iter().map(seen).collect();
        let expected = [
            (json!(ada.to_string()), json!("Main"), json!("ada")),
            (json!(bob.to_string()), json!("Office"), json!("bob\u{1b}[2J")),
            (json!(visitor.to_string()), json!("Main"), Value::Null),
        ];
        assert_eq!(all, expected, "{}", place.url);
        let office: Vec<_> = listed(&place, &["--scope", "Office"]).iter().map(seen).collect();
        assert_eq!(office, [expected[1].clone()]);
        let row = &listed(&place, &[])[0];
        assert_eq!((&row["state"], &row["device_label"]), (&json!("alive"), &json!("laptop")));
        assert!(row["last_seen"].as_str().is_some_and(|time| time.ends_with('Z')), "{row}");

        let text = place.run(&["list"]);
        assert_eq!((text.code, text.shown.lines().count()), (Some(0), 3), "{}", text.shown);
        let line = text.shown.lines().find(|line| line.starts_with(&ada.to_string())).unwrap();
        assert!(line.contains("alive") && line.contains("  Main  ada  laptop"), "{line}");
    }
}

#[tokio::test]
async fn a_list_of_many_pages_has_everyone_once_and_may_be_cut_off() {
    let place = Place::redis().await;
    let manager = place.manager_without_lists();
    let mut ids = BTreeSet::new();
    for number in 1..=1_300 {
        let session = TestSession::new(&manager).with(move |account: &mut Account| account.visits = number).await;
        ids.insert(id(&session).await.to_string());
    }
    let rows = listed(&place, &[]);
    let listed: BTreeSet<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((rows.len(), listed), (1_300, ids));

    // As `head -n 1` does it.
    let mut child = command(&["list"], Some(&place.url)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 22];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
}
