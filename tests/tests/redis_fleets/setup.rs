//! The ways to reach several servers.

use sessionkit::redis::RedisStore;
use sessionkit_tests::harness::Log;
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;

#[tokio::test]
async fn a_user_of_the_nodes_and_another_of_the_sentinels() {
    let servers = RedisSentinels::start();
    let rules = ["on", ">pass word", "~*", "&*", "+@all"];
    for index in 0..servers.ports().len() {
        servers.cli(index, &[&["ACL", "SETUSER", "web"][..], &rules].concat());
        servers.cli(index, &["ACL", "SETUSER", "default", "off"]);
    }
    // The sentinels cannot reach the servers any more, and are asked all the same.
    for index in 0..3 {
        servers
            .sentinel_cli(index, &[&["ACL", "SETUSER", "eve"][..], &["on", ">s3/cret", "~*", "&*", "+@all"]].concat());
        servers.sentinel_cli(index, &["ACL", "SETUSER", "default", "off"]);
    }
    let url = servers.url().replace("://", "://web:pass%20word@");
    let reason = RedisStore::connect(&url).await.unwrap_err().to_string();
    assert!(reason.contains("sentinels name no master"), "{reason}");
    let store = RedisStore::connect(&format!("{url}?sentinel_user=eve&sentinel_password=s3%2Fcret")).await.unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("mymaster at 127.0.0.1") && !shown.contains("cret") && !shown.contains("word"), "{shown}");
    let wrong = url.replace("pass%20word", "wrong");
    let error =
        RedisStore::connect(&format!("{wrong}?sentinel_user=eve&sentinel_password=s3%2Fcret")).await.unwrap_err();
    assert!(!error.to_string().contains("wrong") && !error.to_string().contains("cret"), "{error}");
}

#[tokio::test]
async fn a_master_that_no_sentinel_knows_is_named_in_the_error() {
    let url = RedisSentinels::shared().url().replace("mymaster", "another");
    let error = RedisStore::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("no master of the name `another`"), "{error}");
}

#[tokio::test]
async fn a_node_of_a_cluster_that_is_named_as_a_single_server_says_what_to_write() {
    use sessionkit::store::{EntryKey, SessionId, Store};

    let port = RedisCluster::shared().ports()[0];
    let store = RedisStore::new(&format!("redis://127.0.0.1:{port}")).unwrap();
    // One that another node has: two of three.
    let mut reason = String::new();
    for number in 0..=255 {
        if let Err(error) = store.load(&EntryKey::session(SessionId::from_bytes([number; 16]))).await {
            reason = format!("{error:?}");
            break;
        }
    }
    assert!(reason.contains("write `redis+cluster://..`"), "{reason}");
}

#[tokio::test]
async fn row_02_what_cannot_be_set_up_says_what_to_change() {
    let error = RedisStore::builder("redis+cluster://localhost").prefix("{shop}:").build().unwrap_err();
    assert!(error.to_string().contains("leave out the braces"), "{error}");
    let log = Log::collect();
    RedisStore::new("redis+cluster://localhost,10.1.2.3").unwrap();
    RedisStore::new("redis+sentinel://localhost,10.4.5.6/mymaster").unwrap();
    let text = log.text();
    assert!(text.contains("10.1.2.3") && text.contains("10.4.5.6"), "{text}");
}
