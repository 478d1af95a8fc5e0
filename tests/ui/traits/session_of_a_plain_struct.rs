use sessionkit::axum::Session;

struct Cart {
    items: u64,
}

async fn show(cart: Session<Cart>) -> String {
    cart.items.to_string()
}

fn main() {}
