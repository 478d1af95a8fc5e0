use sessionkit::axum::session;

struct Hours;

#[session(requirement = Hours)]
async fn counter() {}

fn main() {}
