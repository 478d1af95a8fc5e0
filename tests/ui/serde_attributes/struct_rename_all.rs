use sessionkit::SessionData;

#[derive(SessionData)]
#[serde(rename_all = "camelCase")]
struct Account {
    first_name: String,
}

fn main() {}
