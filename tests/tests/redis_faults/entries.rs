//! Scans of a server that holds more than sessions of ours.

use std::collections::BTreeSet;

use sessionkit::redis::RedisStore;
use sessionkit_core::{EntryKey, EntryKind, SessionId, Store};
use sessionkit_tests::servers::redis::RedisServer;

#[tokio::test]
async fn all_entries_are_found_however_many_there_are() {
    let server = RedisServer::start();
    let store = RedisStore::builder(server.url()).prefix("shop*[a]?\\:").build().unwrap();
    let other = RedisStore::builder(server.url()).prefix("shop-a-\\:").build().unwrap();
    let sessions: Vec<_> =
        (0..3000_u128).map(|id| EntryKey::session(SessionId::from_bytes(id.to_be_bytes()))).collect();
    let lists: Vec<_> = (0..500).map(|user| EntryKey::session_list("Main", &user.to_string())).collect();
    for key in sessions.iter().chain(&lists) {
        store.insert(key, &super::support::entry(&[])).await.unwrap();
    }
    // Beside them are another prefix, a channel's name, and keys that are not ours.
    other.insert(&sessions[0], &super::support::entry(&[])).await.unwrap();
    for key in
        ["shop*[a]?\\:@ended", "shop*[a]?\\:", "shop*[a]?\\:short", "shop*[a]?\\:AAAAAAAAAAAAAAAAAAAAA*", "unrelated"]
    {
        server.cli(&["SET", key, "x"]);
    }
    for (kind, keys) in [(EntryKind::Session, sessions), (EntryKind::SessionList, lists)] {
        let (mut found, mut after) = (BTreeSet::new(), None);
        loop {
            let page = store.scan(kind, after.as_ref(), 100).await.unwrap();
            found.extend(page.entries.into_iter().map(|(key, _)| key));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(found, keys.into_iter().collect());
    }
}
