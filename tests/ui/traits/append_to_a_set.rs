use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = append)]
    items: std::collections::BTreeSet<u64>,
}

fn main() {}
