//! Conditions that are combined, through the attribute: every combination of what visitors can be, against plain Rust.

use sessionkit::{GuardedRequest, Requirement, SessionData};

use crate::http::{App, Ask};
use crate::on_both_frameworks;
use crate::shop::Account;

#[derive(SessionData)]
pub(crate) struct Cart {
    pub(crate) paid: bool,
    pub(crate) free: bool,
}

pub(crate) struct Hours;

impl Requirement for Hours {
    type Error = String;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, String> {
        let hours = request.head().header("x-hours");
        if hours == Some(b"broken") { Err("the clock has stopped".to_owned()) } else { Ok(hours == Some(b"open")) }
    }
}

pub(crate) fn owns_a_paid_cart(account: &Account, cart: &Cart) -> bool {
    account.is_admin && cart.paid
}

/// A visitor: every bit is one thing that a condition asks for.
#[derive(Clone, Copy, Debug)]
struct Who {
    login: bool,
    admin: bool,
    banned: bool,
    paid: bool,
    free: bool,
    open: bool,
}

macro_rules! combinations {
    ($($name:ident [$($args:tt)*] $means:expr;)*) => {
        /// The handlers and their routes. The module around imports what the attribute needs.
        macro_rules! combined_handlers {
            () => {
                use $crate::combinations::{Cart, Hours, owns_a_paid_cart};

                pub(crate) async fn set_cart(mut cart: Session<Cart>, mut account: Session<Account>, bits: Path<String>) -> &'static str {
                    let is = |bit: &str| bits.contains(bit);
                    (cart.paid, cart.free) = (is("paid"), is("free"));
                    (account.is_admin, account.is_banned) = (is("admin"), is("banned"));
                    "set"
                }

                $(
                    #[session($($args)*)]
                    pub(crate) async fn $name() -> &'static str {
                        stringify!($name)
                    }
                )*
            };
        }
        pub(crate) use combined_handlers;

        macro_rules! combined_routes {
            ($route:tt) => {
                [$((concat!("/combined/", stringify!($name)), $crate::combinations::called!($route $name)),)*]
            };
        }
        pub(crate) use combined_routes;

        const MEANINGS: &[(&str, fn(Who) -> bool)] = &[$((stringify!($name), $means),)*];
    };
}

/// Calls what makes a route of a handler.
macro_rules! called {
    ([$($route:tt)*] $handler:ident) => { $($route)*($handler) };
}
pub(crate) use called;

combinations! {
    one_of_two [any(is_admin, |cart: &Cart| cart.paid)] |who| who.admin || who.paid;
    both_written_out [all(is_admin, |cart: &Cart| cart.paid)] |who| who.admin && who.paid;
    both_side_by_side [require = is_admin, require = |cart: &Cart| cart.paid] |who| who.admin && who.paid;
    not_one [not(require = |account: &Account| account.is_banned)] |who| !who.banned;
    not_login [not(require_login)] |who| !who.login;
    guests [guest_only] |who| !who.login;
    guests_or_admins [any(guest_only, is_admin)] |who| !who.login || who.admin;
    or_inside_all [all(require_login, |cart: &Cart| cart.paid || cart.free)] |who| who.login && (who.paid || who.free);
    or_inside_all_first [all(|cart: &Cart| cart.paid || cart.free, require_login)] |who| who.login && (who.paid || who.free);
    and_inside_any [any(is_admin, |cart: &Cart| cart.paid && cart.free)] |who| who.admin || (who.paid && who.free);
    or_beside [require = |cart: &Cart| cart.paid || cart.free, require_login] |who| who.login && (who.paid || who.free);
    or_under_not [not(|cart: &Cart| cart.paid || cart.free)] |who| !(who.paid || who.free);
    of_the_design [any(is_admin, all(require_login, |cart: &Cart| cart.paid || cart.free), not(require = is_welcome))]
        |who| who.admin || (who.login && (who.paid || who.free)) || who.banned;
    neither [not(any(is_admin, |cart: &Cart| cart.paid))] |who| !(who.admin || who.paid);
    not_both [not(all(is_admin, |cart: &Cart| cart.paid))] |who| !(who.admin && who.paid);
    twice_not [not(not(is_admin))] |who| who.admin;
    deep [all(any(not(all(is_admin, any(|cart: &Cart| cart.paid, guest_only))), require_login), is_welcome)]
        |who| [!(who.admin && (who.paid || !who.login)), who.login].contains(&true) && !who.banned;
    of_two_structs [require = |account: &Account, cart: &Cart| account.is_admin || cart.free] |who| who.admin || who.free;
    of_two_structs_by_path [any(owns_a_paid_cart, guest_only)] |who| (who.admin && who.paid) || !who.login;
    by_hand [requirement = Hours] |who| who.open;
    by_hand_combined [any(all(requirement = Hours, require_login), is_admin)] |who| (who.open && who.login) || who.admin;
    by_hand_not [require_login, not(requirement = Hours)] |who| who.login && !who.open;
    fresh_or_admin [any(require_fresh = "5m", is_admin)] |who| who.login || who.admin;
}

on_both_frameworks! {
    shop:
    every_combination_lets_in_whom_it_means,
    what_decides_alone_is_not_overruled_by_what_fails,
}

async fn every_combination_lets_in_whom_it_means(app: impl App) {
    for bits in 0..64_u8 {
        let is = |bit: u8| bits & (1 << bit) != 0;
        let who = Who { login: is(0), admin: is(1), banned: is(2), paid: is(3), free: is(4), open: is(5) };
        let mut cookie = if who.login { Some(app.cookie_of("ada").await) } else { None };
        let named =
            [(who.admin, "admin"), (who.banned, "banned"), (who.paid, "paid"), (who.free, "free"), (true, "visitor")];
        let named: Vec<_> = named.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        let ask = Ask::post(&format!("/combined/set/{}", named.join("-")));
        let ask = match &cookie {
            Some(cookie) => ask.with("cookie", cookie.clone()),
            None => ask,
        };
        let answer = app.answer(ask).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if let Some(set) = answer.header("set-cookie") {
            cookie = set.split(';').next().map(str::to_owned);
        }
        for (name, means) in MEANINGS {
            let ask = Ask::get(&format!("/combined/{name}")).with("x-hours", if who.open { "open" } else { "closed" });
            let ask = match &cookie {
                Some(cookie) => ask.with("cookie", cookie.clone()),
                None => ask,
            };
            let status = app.answer(ask).await.status;
            match means(who) {
                true => assert_eq!(status, 200, "{name} for {who:?}"),
                // Whoever is logged in, freshly as all are here, is told that no login helps.
                false if who.login => assert_eq!(status, 403, "{name} for {who:?}"),
                false => assert!([401, 403].contains(&status), "{name} for {who:?}: {status}"),
            }
        }
    }
}

async fn what_decides_alone_is_not_overruled_by_what_fails(app: impl App) {
    let broken = |name: &str| Ask::get(&format!("/combined/{name}")).with("x-hours", "broken");
    assert_eq!(app.answer(broken("by_hand")).await.status, 500);
    assert_eq!(app.answer(broken("by_hand_combined")).await.status, 500);
    // A stranger is refused whatever the hours are.
    assert_eq!(app.answer(broken("by_hand_not")).await.status, 401);
    let cookie = app.cookie_of("ada").await;
    let answer = app.answer(broken("by_hand_not").with("cookie", cookie)).await;
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains("clock"), "{}", answer.body);
}
