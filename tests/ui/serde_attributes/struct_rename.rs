use sessionkit::SessionData;

#[derive(SessionData)]
#[serde(rename = "person")]
struct Account {
    first_name: String,
}

fn main() {}
