//! The options that make a manager.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use super::{SessionManager, SessionManagerBuilder};
use crate::config::SessionConfig;
use crate::event::{EventSink, SessionEvent, StoreCall};
use crate::scope::SessionScope;
use crate::store::memory::MemoryStore;
use crate::time::{Clock, Timestamp};
use crate::token::{OsRandom, TokenSource};

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = crate::scope::OnServer;
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000)
    }
}

/// Numbers its tokens in their first byte.
#[derive(Default)]
struct Numbering(AtomicU8);

impl TokenSource for Numbering {
    fn fill(&self, bytes: &mut [u8]) {
        OsRandom.fill(bytes);
        bytes[0] = self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Notes = Arc<Mutex<Vec<String>>>;

/// Notes everything that it gets, under its name.
struct Named(&'static str, Notes);

impl Named {
    fn note(&self, note: &str) {
        self.1.lock().unwrap().push(format!("{}: {note}", self.0));
    }
}

impl EventSink for Named {
    fn record(&self, event: &SessionEvent<'_>) {
        let first_byte = event.session().map(|id| id.as_bytes()[0]);
        let (scope, name, at) = (event.scope(), event.kind().name(), event.at().unix_seconds());
        self.note(&format!("{scope} {name} {at} {first_byte:?}"));
    }

    fn times_store_calls(&self) -> bool {
        true
    }

    fn record_store_call(&self, call: &StoreCall) {
        self.note(&format!("{} {}", call.scope, call.operation));
    }
}

fn tracking() -> SessionConfig {
    SessionConfig::builder().track_devices(true).build().unwrap()
}

#[tokio::test]
async fn the_order_of_the_options_does_not_matter() {
    type Set = fn(SessionManagerBuilder, Named, Named) -> SessionManager<Office>;
    let orders: [Set; 3] = [
        |builder, first, second| {
            let builder = builder.for_scope::<Office>().config(tracking()).clock(Still);
            let builder = builder.token_source(Numbering::default()).unwrap();
            builder.event_sink(first).event_sink(second).build()
        },
        |builder, first, second| {
            let builder = builder.event_sink(first).event_sink(second);
            let builder = builder.token_source(Numbering::default()).unwrap();
            builder.clock(Still).config(tracking()).for_scope().build()
        },
        |builder, first, second| {
            let builder = builder.event_sink(first).clock(Still).for_scope::<Office>();
            let builder = builder.token_source(Numbering::default()).unwrap();
            builder.event_sink(second).config(tracking()).build()
        },
    ];
    for set in orders {
        let notes = Notes::default();
        let (first, second) = (Named("first", notes.clone()), Named("second", notes.clone()));
        let manager = set(SessionManager::builder(MemoryStore::new()), first, second);
        manager.open().auth().login("ada").await.unwrap();
        // A login with a list of devices. The builder looked at eight tokens of the source before.
        let told = ["load", "insert", "insert", "replace", "login 1700000000 Some(8)"];
        let told = told.iter().flat_map(|what| ["first", "second"].map(|sink| format!("{sink}: Office {what}")));
        assert_eq!(*notes.lock().unwrap(), told.collect::<Vec<_>>());
    }
}

#[test]
fn a_builder_shows_its_scope_and_its_settings() {
    let config = SessionConfig::builder().cookie_name("__Host-office").build().unwrap();
    let shown = format!("{:?}", SessionManager::builder(MemoryStore::new()).config(config).for_scope::<Office>());
    assert!(shown.contains("Office") && shown.contains("__Host-office"), "{shown}");
}
