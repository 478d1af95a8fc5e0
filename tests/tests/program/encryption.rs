//! Keys, and their replacement in a store.

use serde_json::{Value, json};
use sessionkit::manual::{Headers, RequestHead, RequestSession};
use sessionkit::store::{EntryKey, Record, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{KeyRing, SessionConfig, SessionData, SessionId, SessionManager};

use crate::support::{Account, OLD_KEY, Office, PIN, Place, log_in, run, run_with_keys, visit};

const NEW_KEY: &str = "zX8vN2qLw5Rt7Yb1Mh4Jk9Pd3Gs6Fa0CeUiOlTnVxEg";

fn manager_with(place: &Place, keys: &str) -> SessionManager {
    let patient = std::time::Duration::from_secs(30);
    let config = SessionConfig::builder().load_deadline(patient).commit_deadline(patient).keys(keys.parse().unwrap());
    SessionManager::new(place.store.clone(), config.build().unwrap())
}

fn id_of(key: &str) -> String {
    key.parse::<KeyRing>().unwrap().active_id().to_string()
}

/// Returns the id of the key that encrypted the pin of a session.
async fn key_of(place: &Place, id: SessionId) -> Option<String> {
    let entry = place.store.load(&EntryKey::session(id)).await.unwrap().expect("the session is stored");
    let record = Record::from_bytes(entry.shared_bytes().clone()).unwrap();
    let pin = record.fields().find(|(key, _)| *key == "account.pin").expect("the pin is stored").1;
    pin.key_id().map(|id| id.to_string())
}

/// Gives a request its cookie.
fn attach(session: &RequestSession, cookie: &str) {
    struct Cookie<'a>(&'a str);

    impl Headers for Cookie<'_> {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            each("cookie", self.0.as_bytes());
        }
    }

    session.attach(&RequestHead::new("GET", "/", &Cookie(cookie)));
}

/// Reads a session as a server with this manager does.
async fn account_of(manager: &SessionManager, cookie: String) -> Account {
    let session = manager.open();
    attach(&session, &cookie);
    session.view().await.unwrap()
}

#[test]
fn a_new_key_is_all_that_keygen_prints() {
    let [one, other] = [run(&["keygen"], None), run(&["keygen"], None)];
    assert!(one.code == Some(0) && one.shown != other.shown && one.shown.ends_with('\n'), "{}", one.error);
    assert_eq!(one.shown.parse::<KeyRing>().unwrap().ids().count(), 1);
    assert!(one.error.contains("SESSION_KEYS") && !one.error.contains(one.shown.trim()), "{}", one.error);
    let json: Value = serde_json::from_str(&run(&["keygen", "--json"], None).shown).unwrap();
    assert_eq!(json["id"], id_of(json["key"].as_str().unwrap()));
}

#[tokio::test]
async fn every_session_is_encrypted_with_the_first_key() {
    for place in Place::all().await {
        let (ada, ada_id) = log_in(&place.manager(), "ada").await;
        visit(&place.manager()).await;
        let office = TestSession::new(&place.manager_of::<Office>()).login("clerk").await;
        let both = format!("{NEW_KEY} {OLD_KEY}");
        let rotate = |arguments: &[&str]| run_with_keys(arguments, Some(&place.url), &both);
        let shown = rotate(&["rotate", "--json"]);
        assert_eq!(shown.code, Some(0), "{}: {}", place.url, shown.error);
        let counts: Value = serde_json::from_str(&shown.shown).unwrap();
        // The visitor has no pin, and the clerk has no fields.
        assert_eq!(counts, json!({ "key_id": id_of(NEW_KEY), "sessions": 1, "fields": 1 }), "{}", place.url);
        assert_eq!(key_of(&place, ada_id).await, Some(id_of(NEW_KEY)), "{}", place.url);
        let again = rotate(&["rotate"]);
        assert!(
            again.code == Some(0) && again.shown.starts_with("encrypted 0 fields of 0 sessions"),
            "{}",
            again.shown
        );
        // The old key can go: nobody is logged out, and nothing is lost.
        let account = account_of(&manager_with(&place, NEW_KEY), ada.cookie()).await;
        assert!(account.pin == PIN && account.visits == 7 && office.user_id().await.as_deref() == Some("clerk"));
    }
}

/// The release before the one of `Account`, which did not say that the pin is sensitive.
#[derive(SessionData)]
#[session(name = "account")]
struct Unmarked {
    pin: String,
}

#[tokio::test]
async fn what_was_not_marked_when_it_was_written_is_encrypted_with_all() {
    let place = Place::files().await;
    let before = TestSession::new(&place.manager()).with(|account: &mut Unmarked| account.pin = PIN.to_owned()).await;
    let id = crate::support::id(&before).await;
    let rotate = |arguments: &[&str]| run_with_keys(arguments, Some(&place.url), OLD_KEY).shown;
    assert!(rotate(&["rotate"]).starts_with("encrypted 0 fields"), "the store does not say that it is sensitive");
    assert_eq!(key_of(&place, id).await, None);
    assert!(rotate(&["rotate", "--all"]).starts_with("encrypted 1 fields of 1 sessions"));
    assert_eq!(key_of(&place, id).await, Some(id_of(OLD_KEY)));
    assert!(rotate(&["rotate", "--all"]).starts_with("encrypted 0 fields"));
    assert_eq!(account_of(&manager_with(&place, OLD_KEY), before.cookie()).await.pin, PIN);
}

#[tokio::test]
async fn nothing_of_a_request_is_lost_that_comes_meanwhile() {
    let place = Place::redis().await;
    let both = format!("{NEW_KEY} {OLD_KEY}");
    let manager = manager_with(&place, &format!("{OLD_KEY} {NEW_KEY}"));
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(visit(&manager).await);
    }
    // Each session is written to, again and again, while the program encrypts all of them.
    let mut writers: Vec<_> = sessions
        .iter()
        .map(|(session, _)| {
            let (manager, cookie) = (manager.clone(), session.cookie());
            tokio::spawn(async move {
                for _ in 0..50 {
                    write(&manager, &cookie).await;
                }
            })
        })
        .collect();
    for _ in 0..3 {
        let (url, both) = (place.url.clone(), both.clone());
        let shown = tokio::task::spawn_blocking(move || run_with_keys(&["rotate"], Some(&url), &both));
        let shown = shown.await.unwrap();
        assert_eq!(shown.code, Some(0), "{}", shown.error);
    }
    for writer in writers.drain(..) {
        writer.await.unwrap();
    }
    for (session, _) in &sessions {
        let account = account_of(&manager, session.cookie()).await;
        assert_eq!((account.visits, account.pin.len()), (51, 50));
    }
}

/// Adds a visit, and a character to the pin.
async fn write(manager: &SessionManager, cookie: &str) {
    let session = manager.open();
    attach(&session, cookie);
    let mut account = session.checkout::<Account>().await.unwrap();
    account.visits += 1;
    account.pin.push('x');
    drop(account);
    let answer = manager.close(&session, 200).await;
    assert!(answer.rejection.is_none());
}

#[tokio::test]
async fn what_cannot_be_decrypted_stays_and_is_said() {
    let place = Place::files().await;
    let (_, id) = log_in(&place.manager(), "ada").await;
    let shown = run_with_keys(&["rotate"], Some(&place.url), NEW_KEY);
    assert_eq!((shown.code, shown.shown.as_str()), (Some(3), ""), "{}", shown.error);
    assert!(shown.error.contains("1 fields cannot be decrypted"), "{}", shown.error);
    assert_eq!(key_of(&place, id).await, Some(id_of(OLD_KEY)));
    for (keys, said) in [("your-secret-key", "sessionkit keygen"), ("", "no key")] {
        let refused = run_with_keys(&["rotate"], Some(&place.url), keys);
        assert!(refused.code == Some(2) && refused.error.contains(said), "{}", refused.error);
    }
    let unset = place.run(&["rotate"]);
    assert!(unset.code == Some(2) && unset.error.contains("SESSION_KEYS"), "{}", unset.error);
    let absent = place.run(&["rotate", "--keys-file", "/nowhere/keys"]);
    assert!(absent.code == Some(2) && absent.error.contains("/nowhere/keys"), "{}", absent.error);
}

#[tokio::test]
async fn an_operator_sees_which_key_encrypted_a_field() {
    let place = Place::files().await;
    let (_, id) = log_in(&place.manager(), "ada").await;
    let shown = place.run(&["inspect", &id.to_string()]);
    assert!(shown.shown.contains(&format!("encrypted with the key {}", id_of(OLD_KEY))), "{}", shown.shown);
    let fields = place.json(&["inspect", &id.to_string()])["fields"].clone();
    let pin = fields.as_array().unwrap().iter().find(|field| field["key"] == "account.pin").unwrap().clone();
    assert!(pin["encrypted"] == true && pin["key_id"] == id_of(OLD_KEY) && pin["value"] == "(hidden)", "{pin}");
}
