use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    total: u128,
}

fn main() {}
