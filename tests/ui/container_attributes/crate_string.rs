use sessionkit::SessionData;

#[derive(SessionData)]
#[session(crate = "sessionkit")]
struct Cart {
    items: u64,
}

fn main() {}
