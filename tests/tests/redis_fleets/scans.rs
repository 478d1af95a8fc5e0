//! Lists of all that is in a cluster, while its slots move.

use std::collections::BTreeSet;
use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit::store::{Entry, EntryKey, EntryKind, ScanCursor, SessionId, Store, StoreError};
use sessionkit_core::{Header, Record, Revision, SecretHash, Timestamp};
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::unique_name;

const TTL: Duration = Duration::from_secs(3600);

pub(crate) fn key(number: u8) -> EntryKey {
    EntryKey::session(SessionId::from_bytes([number; 16]))
}

/// An entry of an empty session.
pub(crate) fn entry() -> Entry {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let header = Header::new(SecretHash::from_bytes([1; 32]), now, TTL, None);
    Entry::new(Record::from_fields(header, std::iter::empty()).as_bytes().clone(), TTL)
}

/// The same with another revision.
pub(crate) fn another() -> Entry {
    let mut bytes = entry().bytes().to_vec();
    bytes[Revision::RANGE].fill(9);
    Entry::new(bytes, TTL)
}

/// Fills the store with so many sessions.
async fn fill(store: &RedisStore, count: u8) -> BTreeSet<SessionId> {
    let entry = entry();
    let ids: BTreeSet<SessionId> = (0..count).map(|number| SessionId::from_bytes([number; 16])).collect();
    for id in &ids {
        store.insert(&EntryKey::session(*id), &entry).await.unwrap();
    }
    ids
}

/// Lists all sessions, and does something after each page.
async fn list(store: &RedisStore, mut after_page: impl FnMut(usize)) -> Result<BTreeSet<SessionId>, StoreError> {
    let (mut found, mut cursor, mut pages) = (BTreeSet::new(), None::<ScanCursor>, 0);
    loop {
        let page = store.scan(EntryKind::Session, cursor.as_ref(), 10).await?;
        found.extend(page.entries.into_iter().filter_map(|(key, _)| key.session_id()));
        pages += 1;
        assert!(pages < 1000, "it comes to an end");
        after_page(pages);
        match page.next {
            None => return Ok(found),
            next => cursor = next,
        }
    }
}

/// Scans of one cluster, whose start takes longer than any of them: first those that leave its slots where they are.
#[tokio::test]
async fn a_scan_finds_all_that_is_there_while_slots_move() {
    let cluster = RedisCluster::start();
    finds_what_is_on_all_masters(&cluster).await;
    says_that_it_is_partial_while_slots_are_on_their_way(&cluster).await;
    finds_what_moves_away_and_back_meanwhile(&cluster).await;
    finds_what_moves_to_a_master_that_is_done(&cluster).await;
}

fn store(cluster: &RedisCluster) -> RedisStore {
    RedisStore::builder(cluster.url()).prefix(format!("{}:", unique_name())).build().unwrap()
}

fn prefix_of(store: &RedisStore) -> String {
    store.key(SessionId::from_bytes([0; 16])).split_once(':').unwrap().0.to_owned()
}

async fn finds_what_is_on_all_masters(cluster: &RedisCluster) {
    let store = store(cluster);
    let ids = fill(&store, 200).await;
    assert_eq!(list(&store, |_| {}).await.unwrap(), ids);
    let keys: Vec<EntryKey> = ids.iter().map(|id| EntryKey::session(*id)).collect();
    assert!(store.load_many(&keys).await.unwrap().iter().all(Option::is_some));
}

/// Returns the masters in the order in which they are listed.
fn masters_in_order(cluster: &RedisCluster) -> Vec<usize> {
    let mut masters = cluster.masters();
    masters.sort_by_key(|master| cluster.ports()[*master]);
    masters
}

async fn finds_what_moves_to_a_master_that_is_done(cluster: &RedisCluster) {
    let store = store(cluster);
    let ids = fill(&store, 40).await;
    // Of the last one some goes to the first one, which is done by then.
    let [first, second, last] = masters_in_order(cluster)[..] else { panic!("three masters") };
    let keys = cluster.cli(last, &["--raw", "KEYS", &format!("{}*", prefix_of(&store))]);
    let slots: BTreeSet<u16> = keys.lines().take(4).map(|key| cluster.slot_of(key)).collect();
    assert!(!slots.is_empty());
    cluster.cli(second, &["CONFIG", "RESETSTAT"]);
    let mut done = false;
    let found = list(&store, |_| {
        if !done && scans_of(cluster, second) > 0 {
            slots.iter().for_each(|slot| cluster.move_slot(*slot, first));
            done = true;
        }
    });
    assert_eq!(found.await.unwrap(), ids);
    assert!(done);
}

/// A key that is elsewhere while its place is looked at, and back before the scan ends: its slot has its master all the time.
async fn finds_what_moves_away_and_back_meanwhile(cluster: &RedisCluster) {
    let store = store(cluster);
    let ids = fill(&store, 200).await;
    let [first, _, last] = masters_in_order(cluster)[..] else { panic!("three masters") };
    // The key that comes with the second page.
    let place = cluster.cli(last, &["SCAN", "0", "COUNT", "10"]).lines().next().unwrap().to_owned();
    let second = cluster.cli(last, &["--raw", "SCAN", &place, "COUNT", "10"]);
    let key = second.lines().find(|line| line.starts_with(&prefix_of(&store))).expect("one of ours").to_owned();
    let slot = cluster.slot_of(&key);
    cluster.cli(last, &["CONFIG", "RESETSTAT"]);
    let mut steps = 0;
    let found = list(&store, |_| match scans_of(cluster, last) {
        1 if steps == 0 => {
            assert_eq!(cluster.begin_to_move(slot, first), last);
            cluster.move_keys(slot, last, first, usize::MAX);
            assert_eq!(cluster.cli(last, &["--raw", "CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]), "0");
            steps = 1;
        }
        2 if steps == 1 => {
            cluster.give_up_move(slot, last, first);
            steps = 2;
        }
        _ => {}
    });
    assert_eq!(found.await.unwrap(), ids);
    assert_eq!(steps, 2);
}

/// Returns how many pages a node was asked for.
fn scans_of(cluster: &RedisCluster, node: usize) -> u32 {
    let stats = cluster.cli(node, &["INFO", "commandstats"]);
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_scan:calls=")?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

async fn says_that_it_is_partial_while_slots_are_on_their_way(cluster: &RedisCluster) {
    let store = store(cluster);
    let ids = fill(&store, 50).await;
    let key = store.key(*ids.first().unwrap());
    let (slot, from) = (cluster.slot_of(&key), cluster.master_of(&key));
    let to = cluster.masters().into_iter().find(|master| *master != from).unwrap();
    cluster.begin_to_move(slot, to);
    let error = list(&store, |_| {}).await.unwrap_err();
    assert!(format!("{error:?}").contains("not complete"), "{error:?}");
    // One by one all can be reached.
    let keys: Vec<EntryKey> = ids.iter().map(|id| EntryKey::session(*id)).collect();
    cluster.move_keys(slot, from, to, usize::MAX);
    assert!(store.load_many(&keys).await.unwrap().iter().all(Option::is_some));
    cluster.finish_move(slot, to);
    assert_eq!(list(&store, |_| {}).await.unwrap(), ids);
}
