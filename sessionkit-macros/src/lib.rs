//! The macros of SessionKit. Depend on `sessionkit` and use them from there.
//!
//! Both macros go the same way: parse, model, check, expand. A mistake is reported on the tokens that make it, all
//! mistakes of an item at once, and a broken item still expands to something that type-checks where it is used.

#![deny(missing_docs)]

mod args;
mod derive;
mod duration;
mod errors;
mod expansion;
mod guard;
mod keys;
mod local;
mod nearest;
mod seconds;
mod slot;
mod span;
#[cfg(test)]
mod tests;
mod tokens;
mod value;
mod written;

use proc_macro::TokenStream;

/// Makes a struct with named fields the typed state of a session.
///
/// The fields are stored one by one, so each of their types needs `serde::Serialize`, `serde::Deserialize` and
/// `Default`; the struct itself needs none of them.
///
/// ```ignore
/// use sessionkit::SessionData;
///
/// #[derive(SessionData)]
/// #[session(name = "cart")]
/// struct Cart {
///     items: BTreeMap<ProductId, u32>,
///     #[session(merge = add)]
///     views: u64,
///     #[session(flash)]
///     notice: Option<String>,
///     #[session(ttl = "10m", sensitive)]
///     otp: Option<String>,
/// }
/// ```
///
/// # On the struct
///
/// | key | meaning |
/// |---|---|
/// | `name = "cart"` | the namespace inside the record; the struct's name in snake case if absent |
/// | `scope = Office` | the session that the struct belongs to, in an application with several |
/// | `codec = path::to::Codec` | how the fields are encoded; as JSON if absent |
/// | `version = 2, migrate = path::to::function` | the version of what is stored, and the `fn(from: u32, stored: &mut Migration<'_, Self>) -> Result<(), FieldError>` that brings older values to it, for changes that defaults and aliases cannot express |
/// | `on_error = default` | a stored value that does not fit its field gives way to the field's default, which is reported; without it, and with `on_error = fail`, the struct cannot be read |
/// | `crate = path` | where `sessionkit` is, if the dependency was renamed |
///
/// # On a field
///
/// | key | meaning |
/// |---|---|
/// | `rename = "name"` | the stored name; the field's name if absent |
/// | `alias = "old_name"` | a further name under which the field is read where nothing is stored under its own; may be repeated |
/// | `default` | `Default::default` makes the value where none is stored, as it does without this key |
/// | `default = path::to::function` | makes the value where none is stored |
/// | `skip` | not stored: the field has its default whenever the struct is loaded |
/// | `merge = add` | concurrent changes of an integer add up |
/// | `merge = union`, `merge = append` | concurrent changes of a set or map, or of a list, are all kept |
/// | `merge = path::to::function` | concurrent changes are merged by `fn(base: &T, mine: T, theirs: T) -> T` |
/// | `entries` | each entry of a map or a set is stored on its own, so that concurrent changes of different entries are all kept |
/// | `flash` | an `Option` or a `Vec` that is shown once: taking it removes it |
/// | `ttl = "10m"` | a value ends this long after its last change; units are `s`, `m`, `h` and `d` |
/// | `carry` | the value stays when another user logs in |
/// | `sensitive` | the value is never shown in errors and logs, nor by the program `sessionkit`; it is stored as it is |
#[proc_macro_derive(SessionData, attributes(session))]
pub fn derive_session_data(input: TokenStream) -> TokenStream {
    derive::expand(input.into()).into_tokens().into()
}

#[doc = include_str!("guard/keys.md")]
///
/// Put attributes that look at the arguments, such as `#[axum::debug_handler]`, below this one. In an `impl` block use
/// `require_login`, `require_fresh`, `guest_only` or `public` alone: everything else defines an item beside the handler, and an
/// `impl` block cannot hold it.
#[proc_macro_attribute]
pub fn session_axum(args: TokenStream, item: TokenStream) -> TokenStream {
    guard::expand(guard::Framework::Axum, args.into(), item.into()).into_tokens().into()
}

#[doc = include_str!("guard/keys.md")]
///
/// Route macros such as `#[get("/")]` may stand above or below this attribute. In an `impl` block use `require_login`,
/// `require_fresh`, `guest_only` or `public` alone: everything else defines an item beside the handler, and an `impl` block
/// cannot hold it.
#[proc_macro_attribute]
pub fn session_actix(args: TokenStream, item: TokenStream) -> TokenStream {
    guard::expand(guard::Framework::Actix, args.into(), item.into()).into_tokens().into()
}
