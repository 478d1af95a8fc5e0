use sessionkit::SessionData;

#[derive(serde::Serialize, SessionData)]
#[serde(rename_all = "camelCase")]
struct Account {
    first_name: String,
    #[serde(skip)]
    #[session(skip)]
    token: String,
    #[serde(skip)]
    password: String,
}

fn main() {}
