use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(with = "hex")]
    password: Vec<u8>,
}

fn main() {}
