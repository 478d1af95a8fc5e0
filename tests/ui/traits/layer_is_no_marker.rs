use sessionkit::SessionData;

struct Office;

#[derive(SessionData)]
#[session(layer = Office)]
struct Cart {
    items: u64,
}

fn main() {}
