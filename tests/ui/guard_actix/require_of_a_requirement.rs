use sessionkit::actix::session;
use sessionkit::{GuardedRequest, Requirement};

struct OpeningHours;

impl Requirement for OpeningHours {
    type Error = std::convert::Infallible;

    async fn is_met(_: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

#[session(require = OpeningHours)]
async fn desk() {}

fn main() {}
