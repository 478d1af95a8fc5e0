use sessionkit::SessionData;

#[derive(SessionData)]
#[session(on_login = drop)]
struct Delivery {
    address: Option<String>,
}

fn main() {}
