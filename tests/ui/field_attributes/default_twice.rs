use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(default, default)]
    items: u64,
}

fn main() {}
