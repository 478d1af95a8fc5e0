//! A scope says where its sessions lie.

use sessionkit::SessionScope;

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
}

fn main() {}
