use sessionkit::SessionData;

#[derive(SessionData)]
#[session(scope)]
struct Cart {
    items: u64,
}

fn main() {}
