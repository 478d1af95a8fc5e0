use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(require_login)]
    items: u64,
}

fn main() {}
