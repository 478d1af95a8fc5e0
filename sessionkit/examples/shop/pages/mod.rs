//! The pages, as HTML. Everything that came from outside is escaped.

mod account;
mod admin;
mod devices;
mod frame;
mod session;
mod shopping;
mod text;

pub(crate) use account::{account, login, password};
pub(crate) use admin::{people, stock};
pub(crate) use devices::devices;
pub(crate) use frame::{Frame, not_for_you, not_found};
pub(crate) use session::{session, session_json};
pub(crate) use shopping::{browse, cart};
