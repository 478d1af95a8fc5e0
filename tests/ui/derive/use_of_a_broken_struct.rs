use sessionkit::SessionData;
use sessionkit::axum::{Session, session};

#[derive(SessionData)]
struct Cart {
    #[session(tll = "10m")]
    items: u64,
}

#[session(require = |cart: &Cart| cart.items > 0)]
async fn show(cart: Session<Cart>) -> String {
    cart.items.to_string()
}

fn main() {}
