use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(alias = "wares")]
    items: u64,
    #[session(alias = "wares")]
    things: u64,
}

fn main() {}
