//! What the index of devices leaves in the server, and how much of it there can be.

use sessionkit::redis::RedisStore;
use sessionkit::store::{DeviceIndex, DeviceSelection, EntryState, Registered, Registration, StoreErrorKind};
use sessionkit_core::{SessionId, Store, Timestamp};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::NOW;

const KEY: &str = "session:@Main/ada";

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    (server, store)
}

fn index(store: &RedisStore) -> &dyn DeviceIndex {
    store.device_index().unwrap()
}

fn after(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.unix_seconds() + seconds)
}

fn id(number: u128) -> SessionId {
    SessionId::from_bytes(number.to_be_bytes())
}

fn login(number: u128, seconds: u64) -> Registration {
    Registration { id: id(number), deadline: after(seconds), most: None, evict: false, stored: false, now: NOW }
}

#[tokio::test]
async fn entries_are_forgotten_a_minute_after_the_last_deadline() {
    let (server, store) = prepare().await;
    let left = || server.cli(&["TTL", KEY]).trim().parse::<i64>().unwrap();
    index(&store).register("Main/ada", login(1, 500)).await.unwrap();
    assert!((550..=560).contains(&left()), "{}", left());
    index(&store).register("Main/ada", login(2, 5000)).await.unwrap();
    assert!((5050..=5060).contains(&left()), "{}", left());
    for number in 3..9 {
        index(&store).register("Main/ada", login(number, 50)).await.unwrap();
    }
    assert!((5050..=5060).contains(&left()), "{}", left());
    index(&store).end("Main/ada", DeviceSelection::One(id(1)), NOW).await.unwrap();
    assert!((5050..=5060).contains(&left()), "{}", left());
}

#[tokio::test]
async fn thousands_of_entries_are_ended_and_expire_in_one_call() {
    let (server, store) = prepare().await;
    let entries: Vec<[String; 2]> = (0..9000)
        .map(|number| {
            let deadline = after(if number < 4500 { 10 } else { 20 }).unix_seconds();
            [id(number).to_string(), format!("c{number} {} {deadline}", NOW.unix_seconds())]
        })
        .collect();
    for some in entries.chunks(1000) {
        let command: Vec<&str> = ["HSET", KEY].into_iter().chain(some.iter().flatten().map(|text| &**text)).collect();
        server.cli(&command);
    }
    let ended = index(&store).end("Main/ada", DeviceSelection::Others(id(9)), NOW).await.unwrap();
    assert_eq!((ended.len(), ended[0], ended[8998]), (8999, id(0), id(8999)));
    let states = index(&store).entries("Main/ada", NOW).await.unwrap();
    assert_eq!(states.iter().filter(|entry| entry.state == EntryState::Ended).count(), 8999);
    let Registered::Entered(ended) =
        index(&store).register("Main/ada", Registration { now: after(10), ..login(9999, 20) }).await.unwrap()
    else {
        panic!("there is no limit")
    };
    assert_eq!((ended.len(), server.cli(&["HLEN", KEY]).trim()), (4500, "4501"));
}

#[tokio::test]
async fn all_users_are_found_however_many_there_are() {
    let (server, store) = prepare().await;
    let value = format!("c1 {} {}", NOW.unix_seconds(), after(10).unix_seconds());
    let fill = "for n = 0, 2999 do redis.call('HSET', ('session:@Main/%04d'):format(n), ARGV[1], ARGV[2]) end";
    server.cli(&["EVAL", fill, "0", &id(1).to_string(), &value]);
    let found = index(&store).users("Main/").await.unwrap();
    assert_eq!(found, (0..3000).map(|number| format!("Main/{number:04}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_entry_that_is_none_is_damage_and_stays() {
    let (server, store) = prepare().await;
    for damage in ["", "x1 1 1", "c1 1", "c1 1 1 1", "c-1 1 99999999999", "b 1 1"] {
        server.cli(&["DEL", KEY]);
        server.cli(&["HSET", KEY, &id(1).to_string(), damage]);
        let registered = index(&store).register("Main/ada", login(2, 10)).await.unwrap_err();
        let ended = index(&store).end("Main/ada", DeviceSelection::All, NOW).await.unwrap_err();
        let confirmed = index(&store).confirm("Main/ada", id(1), &[], NOW).await.unwrap_err();
        let listed = index(&store).entries("Main/ada", NOW).await.unwrap_err();
        for error in [registered, ended, confirmed, listed] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{damage:?}: {error}");
        }
        assert_eq!(server.cli(&["HLEN", KEY]).trim(), "1", "{damage:?}");
    }
}
