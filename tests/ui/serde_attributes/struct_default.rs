use sessionkit::SessionData;

#[derive(SessionData)]
#[serde(default)]
struct Account {
    first_name: String,
}

fn main() {}
