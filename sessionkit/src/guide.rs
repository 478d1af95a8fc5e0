//! The guide to SessionKit, from the first program to production.
//!
//! Read [Getting started](getting_started) first; the other pages stand alone.
//!
//! | page | its question |
//! |---|---|
//! | [Getting started](getting_started) | how does a program with sessions look? |
//! | [Typed state](typed_state) | how do I declare what a session holds, and change it later? |
//! | [Guards](guards) | who may call a handler, and what do the others get? |
//! | [Users](users) | who is it, and what does the application know of them? |
//! | [Devices](devices) | where is a user logged in, and how does that end? |
//! | [CSRF](csrf) | what keeps other sites from acting as a person who is logged in? |
//! | [Errors](errors) | what goes wrong, and who gets to know what of it? |
//! | [Merging](merging) | what happens when two requests change one session? |
//! | [Lifetimes](lifetimes) | when does a session end? |
//! | [Cookies](cookies) | what does the browser hold, and what protects it? |
//! | [After the response](after_the_response) | how do websockets, streams and tasks use a session? |
//! | [Events](events) | what is reported to the log, to metrics, and to an audit trail? |
//! | [Testing](testing) | how do I test an application that has sessions? |
//! | [Choosing where sessions live](where_sessions_live) | on the server or in the cookie: what can the cookie not do? |
//! | [Choosing a store](choosing_a_store) | where should sessions be, and what does each place cost and guarantee? |
//! | [Redis](redis) | how do I keep sessions in a Redis server, a cluster, or behind sentinels, and what can be lost? |
//! | [Sizing](sizing) | how much memory, how many servers and connections do so many sessions need? |
//! | [SQL](sql) | how do I keep sessions, and an audit trail, in SQLite, PostgreSQL or MySQL? |
//! | [Encryption](encryption) | what does a copy of the store show, and how do I replace a key? |
//! | [Cookies of other systems](formats) | how do a service in Rust and one in Python share sessions? |
//! | [Moving in from another system](moving_in) | how do I replace an application without logging its users out? |
//! | [Moving from FastAPI, Flask, Django, Express ..](moving_from) | which name of mine is which here, and what is taken over? |
//! | [Writing a store](writing_a_store) | how do I keep sessions in my database, and which bytes are stored? |
//! | [Writing an adapter](writing_an_adapter) | how do sessions come to another web framework? |
//! | [Recipes](recipes) | how do I do this common thing: a JSON API, an error type, a password? |
//! | [Troubleshooting](troubleshooting) | why is my session empty, and what does this error mean? |
//! | [Deploying](deploying) | what does production ask for? |
//! | [Operating](operating) | how do I look into a store, end sessions, sweep, and check that a server is ready? |
//! | [Settings](settings) | which settings are there, and what are their defaults? |
//!
//! The way of a request, in one picture:
#![doc = include_str!("guide/request.svg")]

#[doc = include_str!("guide/getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("guide/typed_state.md")]
pub mod typed_state {}

#[doc = include_str!("guide/guards.md")]
pub mod guards {}

#[doc = include_str!("guide/users.md")]
pub mod users {}

#[doc = include_str!("guide/devices.md")]
pub mod devices {}

#[doc = include_str!("guide/csrf.md")]
pub mod csrf {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/merging.md")]
#[doc = include_str!("guide/late_writer.svg")]
pub mod merging {}

#[doc = include_str!("guide/lifetimes.md")]
#[doc = include_str!("guide/lifetimes.svg")]
pub mod lifetimes {}

#[doc = include_str!("guide/cookies.md")]
pub mod cookies {}

#[doc = include_str!("guide/after_the_response.md")]
pub mod after_the_response {}

#[doc = include_str!("guide/events.md")]
pub mod events {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/where_sessions_live.md")]
pub mod where_sessions_live {}

#[doc = include_str!("guide/choosing_a_store.md")]
pub mod choosing_a_store {}
#[doc = include_str!("guide/redis.md")]
pub mod redis {}

#[doc = include_str!("guide/sizing.md")]
pub mod sizing {}

#[doc = include_str!("guide/sql.md")]
pub mod sql {}

#[doc = include_str!("guide/encryption.md")]
pub mod encryption {}

#[doc = include_str!("guide/formats.md")]
pub mod formats {}

#[doc = include_str!("guide/moving_in.md")]
pub mod moving_in {}

/// A page for each system from which people move: a program, and the names side by side.
///
/// The page [Moving in](moving_in) has a list of them, and says how the taking over works.
pub mod moving_from {
    #[doc = include_str!("guide/moving_from/actix_session.md")]
    pub mod actix_session {}

    #[doc = include_str!("guide/moving_from/auth_js.md")]
    pub mod auth_js {}

    #[doc = include_str!("guide/moving_from/django.md")]
    pub mod django {}

    #[doc = include_str!("guide/moving_from/express.md")]
    pub mod express {}

    #[doc = include_str!("guide/moving_from/fastapi.md")]
    pub mod fastapi {}

    #[doc = include_str!("guide/moving_from/flask.md")]
    pub mod flask {}

    #[doc = include_str!("guide/moving_from/iron_session.md")]
    pub mod iron_session {}

    #[doc = include_str!("guide/moving_from/muffin.md")]
    pub mod muffin {}

    #[doc = include_str!("guide/moving_from/ravyn.md")]
    pub mod ravyn {}

    #[doc = include_str!("guide/moving_from/tower_sessions.md")]
    pub mod tower_sessions {}
}

#[doc = include_str!("guide/writing_a_store.md")]
#[doc = "```no_run"]
#[doc = include_str!("../examples/redb-store/store.rs")]
#[doc = "# fn main() {}"]
#[doc = "```"]
#[doc = include_str!("guide/stored_bytes.md")]
pub mod writing_a_store {}

#[doc = include_str!("guide/writing_an_adapter.md")]
pub mod writing_an_adapter {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("guide/deploying.md")]
pub mod deploying {}

#[doc = include_str!("guide/operating.md")]
pub mod operating {}

#[doc = include_str!("guide/settings.md")]
pub mod settings {}
