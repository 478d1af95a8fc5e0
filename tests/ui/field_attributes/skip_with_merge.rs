use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, merge = add)]
    items: u64,
}

fn main() {}
