use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(flash)]
    notice: String,
}

fn main() {}
