use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(persistent)]
    items: u64,
}

fn main() {}
