use sessionkit::SessionData;

#[derive(SessionData)]
#[session(on_error = "default")]
struct Cart {
    items: u64,
}

fn main() {}
