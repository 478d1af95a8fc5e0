use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(rename = "pw")]
    password: String,
}

fn main() {}
