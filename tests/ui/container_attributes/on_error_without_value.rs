use sessionkit::SessionData;

#[derive(SessionData)]
#[session(on_error)]
struct Cart {
    items: u64,
}

fn main() {}
