use sessionkit::SessionData;

struct Item;

#[derive(SessionData)]
struct Cart {
    #[session(entries)]
    items: std::collections::BTreeMap<u64, Item>,
}

fn main() {}
