use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(name = "things")]
    items: u64,
}

fn main() {}
