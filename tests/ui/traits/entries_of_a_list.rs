use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(entries)]
    items: Vec<u64>,
}

fn main() {}
