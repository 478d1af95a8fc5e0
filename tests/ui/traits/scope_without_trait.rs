use sessionkit::SessionData;

struct Office;

#[derive(SessionData)]
#[session(scope = Office)]
struct Cart {
    items: u64,
}

fn main() {}
