use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    total: f64,
}

fn main() {}
