use sessionkit::{MemoryStore, SessionManager};

struct Person;

fn main() {
    let _ = SessionManager::builder(MemoryStore::new()).user_loader(Person);
}
