use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add, merge = union)]
    items: u64,
}

fn main() {}
