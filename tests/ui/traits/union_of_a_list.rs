use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = union)]
    items: Vec<u64>,
}

fn main() {}
