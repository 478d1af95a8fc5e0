use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, alias = "things")]
    items: u64,
}

fn main() {}
