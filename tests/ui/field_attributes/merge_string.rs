use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = "add")]
    items: u64,
}

fn main() {}
