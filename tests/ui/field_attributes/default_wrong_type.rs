use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(default = greeting)]
    items: u64,
}

fn greeting() -> String {
    String::new()
}

fn main() {}
