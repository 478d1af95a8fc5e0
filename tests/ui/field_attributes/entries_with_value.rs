use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(entries = true)]
    items: std::collections::BTreeMap<u64, u64>,
}

fn main() {}
