use sessionkit::Rules;

struct Person {
    is_admin: bool,
}

fn main() {
    let _ = Rules::new().require(|person: &Person| person.is_admin);
}
