//! actix-session on actix-web, with its defaults. It publishes no store in memory, so it gets the smallest that its
//! trait allows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_session::storage::{LoadError, RedisSessionStore, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::App;
use actix_web::cookie::Key;
use actix_web::cookie::time::Duration;
use actix_web::web::get;

use super::Visitor;
use crate::apps::by_hand::new_id;
use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app<V: Visitor>(backend: &Backend, visitor: V) -> V::Output {
    match backend {
        Backend::Memory => over(InMemory::default(), visitor).await,
        Backend::Redis(url) => {
            over(RedisSessionStore::new(url.as_str()).await.expect("our own server answers"), visitor).await
        }
        Backend::Database(_) => unreachable!("it has no store for one"),
    }
}

async fn over<V: Visitor>(store: impl SessionStore + Clone + Send + 'static, visitor: V) -> V::Output {
    let key = Key::generate();
    let make = move || {
        App::new()
            .route("/fill", get().to(fill))
            .route("/untouched", get().to(async || "untouched"))
            .route("/read", get().to(read))
            .route("/write", get().to(write))
            .wrap(SessionMiddleware::new(store.clone(), key.clone()))
    };
    visitor.visit(make).await
}

async fn fill(session: Session) -> &'static str {
    session.insert("visit", Visit::new()).expect("a visit has a JSON form");
    "filled"
}

async fn read(session: Session) -> String {
    visit(&session).name
}

async fn write(session: Session) -> String {
    let mut visit = visit(&session);
    let changed = visit.change();
    session.insert("visit", visit).expect("a visit has a JSON form");
    changed
}

fn visit(session: &Session) -> Visit {
    session.get("visit").expect("it is what was stored").expect("the client has a session")
}

type State = HashMap<String, String>;

/// A map of what the trait hands over. It ignores lifetimes, which costs less than obeying them.
#[derive(Clone, Default)]
struct InMemory(Arc<Mutex<HashMap<String, State>>>);

impl InMemory {
    fn put(&self, key: SessionKey, state: State) -> SessionKey {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.as_ref().to_owned(), state);
        key
    }
}

impl SessionStore for InMemory {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key.as_ref()).cloned())
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        Ok(self.put(new_id().try_into().expect("the id is short"), state))
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        Ok(self.put(key, state))
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key.as_ref());
        Ok(())
    }
}
