use sessionkit::SessionData;

#[derive(SessionData)]
#[serde(deny_unknown_fields)]
struct Account {
    first_name: String,
}

fn main() {}
