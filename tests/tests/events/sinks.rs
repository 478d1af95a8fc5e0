//! Sinks that misbehave, and sinks that are shared.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use sessionkit::{EventSink, MemoryStore, SessionData, SessionEvent, SessionManager, StoreCall};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log};

use crate::support::Recorded;

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
}

/// Panics whatever it is told.
struct Panicking;

impl EventSink for Panicking {
    fn record(&self, event: &SessionEvent<'_>) {
        panic!("{} was too much", event.kind().name());
    }

    fn times_store_calls(&self) -> bool {
        true
    }

    fn record_store_call(&self, call: &StoreCall) {
        panic!("{} was too much", call.operation);
    }
}

behaviour! {
    tests: [a_sink_that_panics_harms_neither_the_request_nor_other_sinks];

    type Answered = Result<Reply, SessionRejection>;

    async fn write(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("secret")
    }

    async fn a_sink_that_panics_harms_neither_the_request_nor_other_sinks(bench: Bench) {
        let (before, after, log) = (Recorded::default(), Recorded::default(), Log::collect());
        let builder = bench.builder().event_sink(before.clone());
        let manager = builder.event_sink(Panicking).event_sink(after.clone()).build();
        let server = serve_with(&bench, manager, routes!["/write" => write, "/login" => login, "/guarded" => guarded]).await;
        let visitor = server.visitor();
        let statuses = async |path| visitor.get(path).await.status;
        assert_eq!(statuses("/write").await, 200);
        assert_eq!(statuses("/guarded").await, 401);
        assert_eq!(statuses("/login").await, 200);
        assert_eq!(statuses("/guarded").await, 200);
        for recorded in [before, after] {
            assert_eq!(recorded.names(), ["created", "denied", "login"]);
        }
        let log = log.text();
        assert!(log.contains("event=\"sink_panicked\" call=\"created\""), "{log}");
        assert!(log.contains("event=\"sink_panicked\" call=\"store call\""), "{log}");
    }
}

/// Notes everything that a sink can be told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        self.0.lock().expect("no holder panics").push(note.into());
    }
}

impl EventSink for Notes {
    fn record(&self, event: &SessionEvent<'_>) {
        self.add(event.kind().name());
    }

    fn times_store_calls(&self) -> bool {
        true
    }

    fn record_store_call(&self, call: &StoreCall) {
        self.add(format!("{} {}", call.operation, call.outcome));
    }

    fn flush(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async { self.add("flushed") })
    }
}

#[tokio::test]
async fn a_sink_may_be_shared_with_the_application() {
    let notes = Arc::new(Notes::default());
    let unnamed: Arc<dyn EventSink> = notes.clone();
    for sink in [Arc::new(notes.clone()), Arc::new(unnamed)] as [Arc<dyn EventSink>; 2] {
        let manager = SessionManager::builder(MemoryStore::new()).event_sink(sink).build();
        manager.open().auth().login("ada").await.expect("the store answers");
        manager.drain().await;
        let noted = std::mem::take(&mut *notes.0.lock().expect("no holder panics"));
        assert_eq!(noted, ["insert inserted", "login", "flushed"]);
    }
}
