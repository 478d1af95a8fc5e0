use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = longer)]
    items: String,
}

fn longer(mine: String, theirs: String) -> String {
    if mine.len() > theirs.len() { mine } else { theirs }
}

fn main() {}
