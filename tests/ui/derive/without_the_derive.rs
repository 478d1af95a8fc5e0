use sessionkit::axum::session;

#[session(name = "cart")]
struct Cart {
    items: u64,
}

fn main() {}
