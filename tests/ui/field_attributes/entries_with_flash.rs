use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(flash, entries)]
    items: Vec<u64>,
}

fn main() {}
