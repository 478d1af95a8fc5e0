use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(flash, merge = append)]
    items: Vec<String>,
}

fn main() {}
