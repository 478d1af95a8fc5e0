use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(alias = "things")]
    items: u64,
    things: u64,
}

fn main() {}
