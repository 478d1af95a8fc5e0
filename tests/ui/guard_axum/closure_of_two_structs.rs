use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    name: String,
}

#[derive(SessionData)]
struct Cart {
    owner: String,
}

#[session(require = |user: &User, cart: &Cart| user.name == cart.owner)]
async fn admin() {}

fn main() {}
