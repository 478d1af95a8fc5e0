use sessionkit::actix::session;

const OPEN: bool = true;

#[session(require = OPEN)]
async fn admin() {}

fn main() {}
