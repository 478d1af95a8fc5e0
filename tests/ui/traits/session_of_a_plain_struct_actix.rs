use sessionkit::actix::Session;

struct Cart;

async fn show(_: Session<Cart>) {}

fn main() {}
