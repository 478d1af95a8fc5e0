//! Places where a handler waits until the test lets it go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

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

    /// In a test: waits until this many handlers are at the gate.
    pub async fn arrived(&self, name: &str, handlers: u32) {
        self.gate(name).arrivals.acquire_many(handlers).await.expect("gates stay open").forget();
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
