use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(entries, default = first)]
    items: std::collections::BTreeSet<u64>,
}

fn first() -> std::collections::BTreeSet<u64> {
    [1].into()
}

fn main() {}
