use sessionkit::actix::session;

struct Page;

impl Page {
    #[session(require_login)]
    async fn show(&self) {}
}

fn main() {}
