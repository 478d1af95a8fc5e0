use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    name: String,
}

#[derive(SessionData)]
struct Cart {
    owner: String,
}

#[session(require = |a: &User, b: &Cart, c: &Cart, d: &Cart, e: &Cart| a.name == b.owner)]
async fn admin() {}

fn main() {}
