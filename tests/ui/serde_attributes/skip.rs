use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(skip)]
    password: String,
}

fn main() {}
