//! The session after the response.

mod late;
mod rounds;
