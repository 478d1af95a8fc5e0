use sessionkit::SessionData;

#[derive(SessionData)]
#[session(version = 2, migrate = |from, stored| Ok(()))]
struct Cart {
    items: u64,
}

fn main() {}
