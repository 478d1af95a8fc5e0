use sessionkit::SessionData;

struct Item;

#[derive(SessionData)]
struct Cart<T> {
    items: Vec<T>,
}

fn is_session_data<T: SessionData>() {}

fn main() {
    is_session_data::<Cart<Item>>();
}
