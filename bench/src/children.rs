//! The work of this program when it was started by itself: one measurement, or one server.

mod count;
mod heap;
mod serve;

use std::str::FromStr;

use crate::candidate::{Backend, Candidate};

/// Does what the arguments say, if they are those of a child.
pub fn run(arguments: &[&str]) -> bool {
    match arguments {
        ["requests", candidate, backend, route, others, count] => {
            count::requests(parse(candidate), &parse(backend), parse(route), parse(others), parse(count));
        }
        ["secrets", count] => count::secrets(parse(count)),
        ["read-back", count] => count::read_back(parse(count)),
        ["allocations", candidate, backend, route, others] => {
            count::allocations(parse(candidate), &parse(backend), parse(route), parse(others));
        }
        ["calls", candidate, route] => count::calls(parse(candidate), parse(route)),
        ["heap", candidate, sizes @ ..] => {
            let sizes: Vec<usize> = sizes.iter().map(|size| parse(size)).collect();
            heap::heap(parse(candidate), &sizes);
        }
        ["serve", candidate, backend] => serve::serve(parse::<Candidate>(candidate), parse::<Backend>(backend)),
        ["devices", limit, redis] => serve::serve_devices(parse(limit), redis),
        _ => return false,
    }
    true
}

fn parse<T: FromStr<Err: std::fmt::Debug>>(argument: &str) -> T {
    argument.parse().expect("the parent passes what the child understands")
}
