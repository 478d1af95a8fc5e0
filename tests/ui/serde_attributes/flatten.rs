use sessionkit::SessionData;

#[derive(SessionData)]
struct Account {
    #[serde(flatten)]
    password: std::collections::BTreeMap<String, u32>,
}

fn main() {}
