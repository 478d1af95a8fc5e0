use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session]
    items: u64,
}

fn main() {}
