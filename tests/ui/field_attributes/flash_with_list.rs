use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(flash(once))]
    items: Option<String>,
}

fn main() {}
