use sessionkit::SessionData;

#[derive(Default, serde::Serialize)]
struct Item;

#[derive(SessionData)]
struct Cart {
    item: Item,
}

fn main() {}
