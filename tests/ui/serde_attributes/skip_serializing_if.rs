use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(skip_serializing_if = "String::is_empty")]
    password: String,
}

fn main() {}
