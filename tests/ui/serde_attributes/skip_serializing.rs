use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(skip_serializing)]
    password: String,
}

fn main() {}
