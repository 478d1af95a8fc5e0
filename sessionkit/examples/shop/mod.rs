//! The parts of the shop that are the same in every framework.

pub(crate) mod accounts;
pub(crate) mod catalog;
pub(crate) mod forms;
pub(crate) mod live;
pub(crate) mod pages;
pub(crate) mod state;

use std::env;
use std::error::Error;
use std::time::Duration;

use accounts::{Accounts, Person};
use live::Closing;
use sessionkit::{
    CrossOriginProtection, Denial, DenialReason, KeyRing, Rejection, SessionConfig, SessionError, SessionManager,
};

/// The parts that a shop is opened with. Clones are the same shop.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) sessions: SessionManager,
    pub(crate) accounts: Accounts,
    pub(crate) closing: Closing,
}

impl Shop {
    /// Sessions are kept in this process, or in the store that `SESSION_STORE` names.
    pub(crate) async fn open() -> Result<Self, Box<dyn Error>> {
        // The shop speaks plain http on localhost; behind https there is no `dev()`.
        let mut config = SessionConfig::builder().dev().track_devices(true);
        // Without keys of its own, the shop encrypts with one that ends with the process.
        if env::var_os("SESSION_KEYS").is_some() {
            config = config.keys(KeyRing::from_env()?);
        }
        let config = config.build()?;
        let store = sessionkit::connect(&env::var("SESSION_STORE").unwrap_or_else(|_| "memory:".to_owned())).await?;
        let accounts = Accounts::new();
        let sessions = SessionManager::builder(store).config(config).user_loader(accounts.clone());
        let sessions = sessions.on_denied(refuse).build();
        // Some stores keep sessions that are over until they are swept. This task ends when the shop closes.
        tokio::spawn(sessions.sweep_every(Duration::from_secs(600)));
        Ok(Self { sessions, accounts, closing: Closing::new() })
    }

    /// Everybody who has an account, and on how many devices they are logged in.
    pub(crate) async fn people(&self) -> Result<Vec<(Person, usize)>, SessionError> {
        let mut people = Vec::new();
        for person in self.accounts.everybody() {
            let devices = self.sessions.devices_of(person.id).list().await?;
            people.push((person, devices.len()));
        }
        Ok(people)
    }
}

/// Whom no login helps gets a page, if they are a person. Everything else is answered as usual.
fn refuse(denial: &Denial<'_>) -> Rejection {
    match denial.reason {
        DenialReason::NotAllowed if denial.head.is_navigation() => Rejection::html(403, pages::not_for_you()),
        _ => denial.answer(),
    }
}

/// Forms of other sites change nothing here.
pub(crate) fn protection() -> CrossOriginProtection {
    CrossOriginProtection::new()
}

/// Returns the address at which the shop listens.
pub(crate) fn address() -> String {
    env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned())
}

/// Says where the shop is, who can log in, and what for.
pub(crate) fn announce(address: std::net::SocketAddr) {
    println!("The shop is open: http://{address}");
    println!("Demo accounts: ada / ada (admin), bob / bob");
    println!("\nWho may call what, besides what everybody may:\n{}", sessionkit::access_matrix());
}
