use sessionkit::SessionData;

#[derive(SessionData)]
#[session(nmae = "cart")]
struct Cart {
    items: u64,
}

fn main() {}
