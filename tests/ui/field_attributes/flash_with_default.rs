use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(flash, default = greeting)]
    items: Option<String>,
}

fn greeting() -> Option<String> {
    Some("Hello".into())
}

fn main() {}
