use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(sensitive = "yes")]
    items: u64,
}

fn main() {}
