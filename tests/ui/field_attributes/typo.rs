use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(tll = "10m")]
    items: Option<String>,
}

fn main() {}
