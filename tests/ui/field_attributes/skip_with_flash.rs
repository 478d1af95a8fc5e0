use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, flash)]
    items: Option<String>,
}

fn main() {}
