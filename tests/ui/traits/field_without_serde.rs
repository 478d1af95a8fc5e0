use sessionkit::SessionData;

#[derive(Default)]
struct Item;

#[derive(SessionData)]
struct Cart {
    item: Item,
}

fn main() {}
