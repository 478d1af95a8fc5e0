use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(alias = "pw")]
    password: String,
}

fn main() {}
