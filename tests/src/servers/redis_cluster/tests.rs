//! The cluster does what the tests of the store take for granted.

use super::RedisCluster;

#[test]
fn six_nodes_agree_and_a_slot_moves_with_its_keys() {
    let cluster = RedisCluster::start();
    let masters = cluster.masters();
    assert_eq!(masters.len(), 3);
    assert!(masters.iter().all(|master| cluster.replicas_of(*master).len() == 1));
    let from = cluster.master_of("key");
    assert_eq!(cluster.cli(from, &["SET", "key", "value"]), "OK");
    let to = masters.into_iter().find(|master| *master != from).unwrap();
    assert!(cluster.cli(to, &["GET", "key"]).starts_with("MOVED"));
    cluster.move_slot(cluster.slot_of("key"), to);
    assert_eq!(cluster.cli(to, &["GET", "key"]), "value");
    assert!(cluster.cli(from, &["GET", "key"]).starts_with("MOVED"));
    assert_eq!(cluster.keys("*"), ["key"]);
}

#[test]
fn a_replica_takes_over_from_a_master_that_is_killed() {
    let mut cluster = RedisCluster::start();
    let master = cluster.master_of("key");
    let replica = cluster.replicas_of(master);
    cluster.node(master).kill();
    assert_eq!(cluster.await_another_master_of("key", master), replica[0]);
    cluster.node(master).restart();
    cluster.await_agreement();
    assert!(cluster.cli(master, &["ROLE"]).starts_with("slave"));
}

#[test]
fn is_shared() {
    assert_eq!(RedisCluster::shared().masters().len(), 3);
}
