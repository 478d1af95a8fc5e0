use sessionkit::SessionData;

#[derive(SessionData)]
#[session(scope = sessionkit::MainScope, scope = sessionkit::MainScope)]
struct Cart {
    items: u64,
}

fn main() {}
