use sessionkit::SessionData;

#[derive(SessionData)]
#[session(version = 2, migrate = upgrade)]
struct Cart {
    items: u64,
}

fn main() {}
