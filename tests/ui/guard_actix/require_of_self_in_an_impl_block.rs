use sessionkit::actix::session;

struct Page;

impl Page {
    #[session(require = Self::is_open)]
    async fn show() {}

    fn is_open(&self) -> bool {
        true
    }
}

fn main() {}
