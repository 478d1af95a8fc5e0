use sessionkit::UserLoader;

struct Person;

struct People;

impl UserLoader for People {
    type User = Person;
    type Error = std::convert::Infallible;

    async fn load(&self, _id: &str) -> Result<Option<Person>, Self::Error> {
        Ok(None)
    }
}

fn main() {}
