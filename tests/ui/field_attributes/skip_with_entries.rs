use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, entries)]
    items: std::collections::BTreeMap<u64, u64>,
}

fn main() {}
