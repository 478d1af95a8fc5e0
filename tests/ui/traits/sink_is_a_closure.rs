use sessionkit::{MemoryStore, SessionEvent, SessionManager};

fn main() {
    let builder = SessionManager::builder(MemoryStore::new());
    let _ = builder.event_sink(|event: &SessionEvent<'_>| println!("{event:?}"));
}
