use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(alias = "things", alias = "things")]
    items: u64,
}

fn main() {}
