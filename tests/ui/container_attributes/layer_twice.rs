use sessionkit::SessionData;

#[derive(SessionData)]
#[session(layer = sessionkit::Main, layer = sessionkit::Main)]
struct Cart {
    items: u64,
}

fn main() {}
