use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(default = nowhere)]
    items: u64,
}

fn main() {}
