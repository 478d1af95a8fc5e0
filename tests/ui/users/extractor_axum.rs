use sessionkit::axum::User;

struct Person {
    name: String,
}

fn shown(_: &User<Person>) -> &'static str {
    "Ada"
}

fn main() {}
