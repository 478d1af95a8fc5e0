use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = |base, mine, theirs| mine)]
    items: u64,
}

fn main() {}
