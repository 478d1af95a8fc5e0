use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = longest())]
    items: u64,
}

fn main() {}
