use sessionkit::SessionData;

#[derive(SessionData)]
#[session(on_error = ignore)]
struct Cart {
    items: u64,
}

fn main() {}
