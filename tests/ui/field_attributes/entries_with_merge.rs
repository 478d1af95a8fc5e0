use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(entries, merge = union)]
    items: std::collections::BTreeMap<u64, u64>,
}

fn main() {}
