//! The application under test: handlers that are written once and compiled for each framework.

use serde::Deserialize;
use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionManager, SessionScope};

use crate::http::TestStore;

#[derive(SessionData)]
pub(crate) struct Account {
    pub(crate) is_admin: bool,
    pub(crate) is_banned: bool,
}

pub(crate) struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
#[session(scope = Office)]
pub(crate) struct Desk {
    pub(crate) is_open: bool,
}

#[derive(Deserialize)]
pub(crate) struct Order {
    pub(crate) item: String,
}

pub(crate) fn is_admin(account: &Account) -> bool {
    account.is_admin
}

pub(crate) fn is_welcome(account: &Account) -> bool {
    !account.is_banned
}

pub(crate) fn breaks(_: &Account) -> Result<bool, &'static str> {
    Err("the list of admins is gone")
}

pub(crate) fn is_admin_for_sure(account: &Account) -> Result<bool, &'static str> {
    Ok(account.is_admin)
}

/// The managers that the layers of one application need, and their store.
pub(crate) struct Managers {
    pub(crate) main: SessionManager,
    pub(crate) office: SessionManager<Office>,
    pub(crate) store: TestStore,
}

impl Managers {
    pub(crate) fn new() -> Self {
        let store = TestStore::new(MemoryStore::new());
        let office = SessionConfig::builder().cookie_name("__Host-office").login_url("/office/login?as=clerk");
        Self {
            main: SessionManager::new(store.clone(), SessionConfig::default()),
            office: SessionManager::for_scope(store.clone(), office.build().unwrap()),
            store,
        }
    }
}

/// The handlers of the shop. The module around imports `Auth`, `Json`, `Path`, `Session`, `SessionRejection` and
/// `session` of its framework.
macro_rules! handlers {
    () => {
        use $crate::shop::{Account, Desk, Office, Order, breaks, is_admin, is_admin_for_sure, is_welcome};

        pub(crate) async fn login(auth: Auth, user: Path<String>) -> Result<&'static str, SessionRejection> {
            auth.login(user.as_str()).await?;
            Ok("welcome")
        }

        pub(crate) async fn login_to_the_office(
            auth: Auth<Office>,
            user: Path<String>,
        ) -> Result<&'static str, SessionRejection> {
            auth.login(user.as_str()).await?;
            Ok("welcome")
        }

        pub(crate) async fn promote(mut account: Session<Account>) -> &'static str {
            account.is_admin = true;
            "promoted"
        }

        pub(crate) async fn ban(mut account: Session<Account>) -> &'static str {
            account.is_banned = true;
            "banned"
        }

        pub(crate) async fn open_desk(mut desk: Session<Desk>) -> &'static str {
            desk.is_open = true;
            "open"
        }

        #[session(require_login)]
        pub(crate) async fn page() -> &'static str {
            "page"
        }

        #[session(require_login)]
        pub(crate) async fn order(id: Path<u32>, Json(order): Json<Order>) -> String {
            format!("{} of {}", *id, order.item)
        }

        #[session(require = is_admin)]
        pub(crate) async fn order_as_admin(id: Path<u32>, Json(order): Json<Order>) -> String {
            format!("{} of {}", *id, order.item)
        }

        #[session(require = |account: &Account| account.is_admin)]
        pub(crate) async fn admin() -> &'static str {
            "admin"
        }

        #[session(require = is_admin_for_sure)]
        pub(crate) async fn sure() -> &'static str {
            "sure"
        }

        #[session(require = breaks)]
        pub(crate) async fn broken() -> &'static str {
            "broken"
        }

        #[session(require = is_welcome)]
        pub(crate) async fn open() -> &'static str {
            "open"
        }

        #[session(require = is_welcome, require = |account: &Account| account.is_admin)]
        pub(crate) async fn both() -> &'static str {
            "both"
        }

        #[session(require_login, require = is_welcome)]
        pub(crate) async fn welcome() -> &'static str {
            "welcome"
        }

        #[session(require_login, scope = Office)]
        pub(crate) async fn office() -> &'static str {
            "office"
        }

        #[session(scope = Office, require = |desk: &Desk| desk.is_open)]
        pub(crate) async fn desk() -> &'static str {
            "desk"
        }
    };
}
pub(crate) use handlers;

/// The routes of the shop, given what makes one of each.
macro_rules! routes {
    ([$($get:tt)*] [$($post:tt)*]) => {
        [
            ("/login/{user}", $($post)*(login)),
            ("/office/login/{user}", $($post)*(login_to_the_office)),
            ("/promote", $($post)*(promote)),
            ("/ban", $($post)*(ban)),
            ("/office/open", $($post)*(open_desk)),
            ("/orders/{id}", $($post)*(order)),
            ("/admin/orders/{id}", $($post)*(order_as_admin)),
            ("/admin", $($get)*(admin)),
            ("/sure", $($get)*(sure)),
            ("/broken", $($get)*(broken)),
            ("/open", $($get)*(open)),
            ("/both", $($get)*(both)),
            ("/welcome", $($get)*(welcome)),
            ("/office", $($get)*(office)),
            ("/office/desk", $($get)*(desk)),
        ]
    };
}
pub(crate) use routes;
