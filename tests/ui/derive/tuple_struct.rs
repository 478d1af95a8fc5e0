use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart(Vec<u32>, u64);

fn main() {}
