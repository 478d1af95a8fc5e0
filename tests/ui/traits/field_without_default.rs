use sessionkit::SessionData;

#[derive(serde::Serialize, serde::Deserialize)]
struct Item;

#[derive(SessionData)]
struct Cart {
    item: Item,
}

fn main() {}
