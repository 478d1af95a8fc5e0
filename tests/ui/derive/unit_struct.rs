use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart;

fn main() {}
