use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(rename(serialize = "pw"))]
    password: String,
}

fn main() {}
