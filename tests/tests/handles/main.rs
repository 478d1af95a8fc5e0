//! The session after the response.

mod ended;
mod late;
mod rounds;
