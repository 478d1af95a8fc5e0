//! Places where a handler waits until the test lets it go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Named gates that handlers and a test share.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    gates: Arc<Mutex<HashMap<String, Arc<Gate>>>>,
}

#[derive(Debug)]
struct Gate {
    arrivals: Semaphore,
    passes: Semaphore,
}

impl Gates {
    /// In a handler: arrives at the gate and waits for a pass.
    pub async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        gate.arrivals.add_permits(1);
        gate.passes.acquire().await.expect("gates stay open").forget();
    }

    /// In a handler: arrives, and goes on.
    pub fn note(&self, name: &str) {
        self.gate(name).arrivals.add_permits(1);
    }

    /// In a test: how many handlers have arrived, without those that it has waited for.
    pub fn noted(&self, name: &str) -> usize {
        self.gate(name).arrivals.available_permits()
    }

    /// In a test: waits until this many handlers are at the gate. Panics if they do not come.
    pub async fn arrived(&self, name: &str, handlers: u32) {
        let gate = self.gate(name);
        let arrived = timeout(Duration::from_secs(60), gate.arrivals.acquire_many(handlers)).await;
        let arrived = arrived.unwrap_or_else(|_| panic!("fewer than {handlers} handlers came to the gate `{name}`"));
        arrived.expect("gates stay open").forget();
    }

    /// In a test: lets this many handlers through.
    pub fn open(&self, name: &str, handlers: usize) {
        self.gate(name).passes.add_permits(handlers);
    }

    fn gate(&self, name: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().expect("no holder panics");
        let closed = || Arc::new(Gate { arrivals: Semaphore::new(0), passes: Semaphore::new(0) });
        gates.entry(name.to_owned()).or_insert_with(closed).clone()
    }
}
