//! Expansions are silent under the strictest lints that a user may turn on.

#![deny(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    deprecated_safe,
    future_incompatible,
    keyword_idents,
    let_underscore,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_compatibility,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::expect_used,
    clippy::impl_trait_in_params,
    clippy::indexing_slicing,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::shadow_reuse,
    clippy::shadow_unrelated,
    clippy::single_char_lifetime_names,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

use std::collections::{BTreeMap, BTreeSet, HashSet};

use actix_web::{App, web};
use axum::{Router, routing};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sessionkit::{FieldError, MessagePack, SessionData, StructMigration};

/// A cart.
#[allow(dead_code, clippy::allow_attributes, reason = "only the derive looks at the fields")]
#[derive(Debug, SessionData)]
pub(crate) struct Cart {
    /// Plain.
    pub(crate) items: Vec<u64>,
    /// Added up.
    #[session(merge = add)]
    pub(crate) views: u64,
    /// Appended.
    #[session(merge = append)]
    pub(crate) log: Vec<u64>,
    /// United.
    #[session(merge = union)]
    pub(crate) tags: BTreeSet<u64>,
    /// Stored entry by entry.
    #[session(entries, alias = "by_name", alias = "names")]
    pub(crate) counts: BTreeMap<String, u64>,
    /// A set of entries.
    #[session(entries, ttl = "1h", carry, sensitive)]
    pub(crate) seen: HashSet<u64>,
    /// Merged by a function.
    #[session(merge = longer, default = empty)]
    pub(crate) text: String,
    /// Shown once.
    #[session(flash)]
    pub(crate) notice: Option<String>,
    /// With everything else.
    #[session(ttl = "10m", carry, sensitive, rename = "otp")]
    pub(crate) code: Option<String>,
    /// Not stored.
    #[session(skip)]
    pub(crate) cache: Option<u64>,
}

/// A cart of the second version.
#[allow(dead_code, clippy::allow_attributes, reason = "only the derive looks at the fields")]
#[derive(Debug, SessionData)]
#[session(name = "versioned", version = 2, migrate = upgrade, on_error = default, codec = MessagePack)]
pub(crate) struct Versioned {
    /// An item.
    #[session(alias = "thing", default = seven)]
    pub(crate) item: u64,
    /// Added up.
    #[session(merge = add, alias = "visits")]
    pub(crate) views: i8,
}

/// Brings an older cart to the second version.
fn upgrade(from: u32, stored: &mut StructMigration<'_, Versioned>) -> Result<(), FieldError> {
    stored.insert("item", &from)
}

/// The default.
const fn seven() -> u64 {
    7
}

/// A generic cart.
#[allow(dead_code, clippy::allow_attributes, reason = "only the derive looks at the fields")]
#[derive(Debug, SessionData)]
pub(crate) struct Generic<T>
where
    T: Serialize + DeserializeOwned + Default + Ord,
{
    /// An item.
    pub(crate) item: T,
    /// Items, one by one.
    #[session(entries)]
    pub(crate) items: BTreeSet<T>,
}

/// A cart of old.
#[allow(dead_code, clippy::allow_attributes, reason = "only the derive looks at the fields")]
#[derive(Debug, SessionData)]
#[deprecated = "use `Cart`"]
pub(crate) struct Old {
    /// An item.
    #[deprecated = "use `items`"]
    pub(crate) item: u64,
}

/// Merges.
#[allow(clippy::ptr_arg, clippy::allow_attributes, reason = "a merge function takes the field's type")]
fn longer(_: &String, mine: String, _: String) -> String {
    mine
}

/// The default.
const fn empty() -> String {
    String::new()
}

macro_rules! guarded {
    () => {
        use super::Cart;

        /// A page.
        #[allow(clippy::redundant_pub_crate, clippy::allow_attributes, reason = "the test uses it")]
        #[session(require_login)]
        pub(crate) async fn page(_auth: Auth) -> &'static str {
            "page"
        }

        /// Another page.
        #[allow(clippy::redundant_pub_crate, clippy::allow_attributes, reason = "the test uses it")]
        #[session(require_login, require = |cart: &Cart| cart.items.is_empty(), require = is_open)]
        pub(crate) async fn cart(cart: Session<Cart>) -> String {
            format!("{:?}", cart.items)
        }

        /// A predicate.
        const fn is_open(cart: &Cart) -> bool {
            cart.cache.is_none()
        }
    };
}

/// Handlers on axum.
mod on_axum {
    use sessionkit::axum::{Auth, Session, session};

    guarded!();
}

/// Handlers on actix-web.
mod on_actix {
    use sessionkit::actix::{Auth, Session, session};

    guarded!();
}

/// The handlers are handlers.
#[test]
fn expansions_are_silent() {
    let pages = Router::<()>::new().route("/page", routing::get(on_axum::page));
    drop(pages.route("/cart", routing::get(on_axum::cart)));
    let app = App::new().route("/page", web::get().to(on_actix::page));
    drop(app.route("/cart", web::get().to(on_actix::cart)));
    assert_eq!((Cart::FIELDS.len(), Versioned::FIELDS.len(), Generic::<u8>::FIELDS.len()), (9, 2, 2));
}
