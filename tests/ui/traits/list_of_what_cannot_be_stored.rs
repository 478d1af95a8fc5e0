use sessionkit::SessionData;

struct Item;

#[derive(SessionData)]
struct Cart {
    items: Vec<Item>,
}

fn main() {}
