use sessionkit::{MemoryStore, SessionConfig, SessionEvent, SessionManager};

fn main() {
    let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    let _ = manager.with_event_sink(|event: &SessionEvent<'_>| println!("{event:?}"));
}
