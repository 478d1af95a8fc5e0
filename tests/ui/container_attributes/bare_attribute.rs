use sessionkit::SessionData;

#[derive(SessionData)]
#[session]
struct Cart {
    items: u64,
}

fn main() {}
