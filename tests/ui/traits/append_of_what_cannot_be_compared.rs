use sessionkit::SessionData;

#[derive(serde::Serialize, serde::Deserialize)]
struct Item;

#[derive(SessionData)]
struct Cart {
    #[session(merge = append)]
    items: Vec<Item>,
}

fn main() {}
