use sessionkit::SessionData;

struct Notice;

#[derive(SessionData)]
struct Cart {
    #[session(flash)]
    notice: Option<Notice>,
}

fn main() {}
