use sessionkit::actix::session;

struct Hours;

#[session(requirement = Hours)]
async fn counter() {}

fn main() {}
