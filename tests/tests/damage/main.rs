//! What an operator or an accident does to a Redis in use: no wrong answer, and no half commit.

mod bytes;
mod connections;
mod shop;
