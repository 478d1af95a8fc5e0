use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(default = "secret")]
    password: String,
}

fn main() {}
