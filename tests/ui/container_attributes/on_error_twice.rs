use sessionkit::SessionData;

#[derive(SessionData)]
#[session(on_error = fail, on_error = default)]
struct Cart {
    items: u64,
}

fn main() {}
