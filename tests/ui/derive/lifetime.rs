use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart<'a> {
    owner: &'a str,
}

fn main() {}
