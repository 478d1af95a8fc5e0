use sessionkit::{MemoryStore, SessionConfig, SessionManager};

struct Person;

fn main() {
    let _ = SessionManager::new(MemoryStore::new(), SessionConfig::default()).with_user_loader(Person);
}
