use sessionkit::SessionData;

struct Cache;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(skip)]
    cache: Cache,
}

fn main() {}
