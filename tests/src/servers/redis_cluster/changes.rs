//! Masters that are replaced, and slots that move, as operators do it.

use super::{PATIENCE, RedisCluster};
use crate::servers::before_asking_again;
use std::time::{Duration, Instant};

impl RedisCluster {
    /// Promotes a replica of a node in agreement with it, as an operator does, and returns it.
    ///
    /// One that was elected less than eight seconds ago must not be promoted again: it would take the votes of then for new
    /// ones, and nobody would follow it.
    ///
    /// # Panics
    ///
    /// If it does not become the master.
    pub fn hand_over(&self, master: usize) -> usize {
        let deadline = Instant::now() + PATIENCE;
        let replica = loop {
            // The master of a moment ago may have replicas that have not heard of it.
            match self.replicas_of(master)[..] {
                [replica, ..] => break replica,
                [] => assert!(Instant::now() < deadline, "{master} has no replica"),
            }
        };
        let mut asked = None::<Instant>;
        while !self.cli(replica, &["ROLE"]).starts_with("master") {
            assert!(Instant::now() < deadline, "{replica} does not take over from {master}");
            before_asking_again();
            // A replica that gets no votes gives up after five seconds.
            if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(6)) {
                let is_accepted = self.cli(replica, &["CLUSTER", "FAILOVER"]) == "OK";
                asked = is_accepted.then(Instant::now);
            }
        }
        // Until it has heard of that, the other one serves what it has.
        while self.cli(master, &["ROLE"]).starts_with("master") {
            assert!(Instant::now() < deadline, "{master} does not hear of {replica}");
            before_asking_again();
        }
        replica
    }

    /// Kills a master, and lets its replica take over with the votes of the others before it counts as failed, which would
    /// take seconds; returns the replica. What the replica had not got is lost.
    ///
    /// # Panics
    ///
    /// On the cluster that others use too, and if the replica does not become the master.
    pub fn kill_and_replace(&mut self, master: usize) -> usize {
        let replica = self.replicas_of(master)[0];
        self.node(master).kill();
        self.take_over(replica);
        replica
    }

    /// Lets a replica take over from a master that is away or frozen.
    ///
    /// # Panics
    ///
    /// If it does not become the master.
    pub fn take_over(&self, replica: usize) {
        let deadline = Instant::now() + PATIENCE;
        let mut asked = None::<Instant>;
        while !self.cli(replica, &["ROLE"]).starts_with("master") {
            assert!(Instant::now() < deadline, "{replica} does not take over");
            before_asking_again();
            // A replica that gets no votes gives up after five seconds.
            if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(6)) {
                let is_accepted = self.cli(replica, &["CLUSTER", "FAILOVER", "FORCE"]) == "OK";
                asked = is_accepted.then(Instant::now);
            }
        }
    }

    /// Moves a slot with all of its keys to another master, as `redis-cli --cluster reshard` does.
    ///
    /// # Panics
    ///
    /// If a node refuses.
    pub fn move_slot(&self, slot: u16, to: usize) {
        let from = self.begin_to_move(slot, to);
        self.move_keys(slot, from, to, usize::MAX);
        self.finish_move(slot, to);
    }

    /// Opens a slot for its move to another master, and returns the one that has it.
    pub fn begin_to_move(&self, slot: u16, to: usize) -> usize {
        let from = self.master_of_slot(slot).expect("the slot has a master");
        let slot = slot.to_string();
        assert_eq!(self.cli(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.id_of(from)]), "OK");
        assert_eq!(self.cli(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.id_of(to)]), "OK");
        from
    }

    /// Moves up to so many of the keys of an open slot.
    pub fn move_keys(&self, slot: u16, from: usize, to: usize, limit: usize) {
        let (slot, limit) = (slot.to_string(), limit.min(10_000).to_string());
        let keys = self.cli(from, &["--raw", "CLUSTER", "GETKEYSINSLOT", &slot, &limit]);
        let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
        if !keys.is_empty() {
            let port = self.ports[to].to_string();
            let command = [&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"], &keys[..]].concat();
            let answer = self.cli(from, &command);
            assert!(["OK", "NOKEY"].contains(&&*answer), "{answer}");
        }
    }

    /// Closes an open slot, which stays where it was, and moves its keys back there.
    pub fn give_up_move(&self, slot: u16, from: usize, to: usize) {
        let close = |node| assert_eq!(self.cli(node, &["CLUSTER", "SETSLOT", &slot.to_string(), "STABLE"]), "OK");
        close(from);
        self.move_keys(slot, to, from, usize::MAX);
        close(to);
    }

    /// Gives an open slot to the master to which its keys were moved.
    pub fn finish_move(&self, slot: u16, to: usize) {
        let (slot, id) = (slot.to_string(), self.id_of(to));
        // First the one that gets it, then the others.
        let others = self.masters().into_iter().filter(|master| *master != to);
        for node in [to].into_iter().chain(others) {
            assert_eq!(self.cli(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &id]), "OK");
        }
    }
}
