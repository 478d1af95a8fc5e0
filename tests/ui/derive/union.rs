use sessionkit::SessionData;

#[derive(SessionData)]
union Cart {
    small: u8,
    large: u64,
}

fn main() {}
