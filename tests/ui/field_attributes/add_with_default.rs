use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add, default = forty_two)]
    items: u64,
}

fn forty_two() -> u64 {
    42
}

fn main() {}
