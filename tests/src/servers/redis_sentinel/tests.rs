//! The sentinels do what the tests of the store take for granted.

use super::RedisSentinels;

#[test]
fn the_sentinels_choose_another_master() {
    let mut servers = RedisSentinels::start();
    let first = servers.master();
    assert_eq!(servers.cli(first, &["SET", "key", "value"]), "OK");
    assert_eq!(servers.cli(first, &["WAIT", "2", "10000"]), "2");
    servers.server(first).kill();
    let second = servers.await_another_master(first);
    assert_eq!(servers.cli(second, &["GET", "key"]), "value");
}

#[test]
fn are_shared() {
    RedisSentinels::shared().master();
}
