use sessionkit::SessionData;

#[derive(SessionData)]
enum Cart {
    Empty,
    Full(Vec<u32>),
}

fn main() {}
