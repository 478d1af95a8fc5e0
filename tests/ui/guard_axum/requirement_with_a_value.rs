use sessionkit::axum::session;

struct Owner(u32);

#[session(requirement = Owner(5))]
async fn desk() {}

fn main() {}
