use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(default = || 42)]
    items: u64,
}

fn main() {}
