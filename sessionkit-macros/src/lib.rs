//! The macros of SessionKit. Depend on `sessionkit` and use them from there; authors of adapters depend on this crate for
//! [`session_in_order`] and [`session_together`].
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
/// | `version = 2, migrate = path::to::function` | the version of what is stored, and the `fn(from: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError>` that brings older values to it, for changes that defaults and aliases cannot express |
/// | `on_error = default` | a stored value that does not fit its field gives way to the field's default, which is reported; without it, and with `on_error = fail`, the struct cannot be read |
/// | `on_login = keep`, `on_login = discard` | what an anonymous visitor has stored of the struct stays, or goes, when they log in; the setting `on_login` decides if absent, and `carry` fields stay |
/// | `ignore_serde` | `#[serde(..)]` attributes of the struct and its fields are meant for another format, such as the JSON of an API; without it they are errors, because the session does not read them |
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
/// | `sensitive` | the value is encrypted where it is stored, and never shown in errors and logs, nor by the program `sessionkit` |
#[proc_macro_derive(SessionData, attributes(session, serde))]
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
    guard::expand(&guard::Adapter::axum(), args.into(), item.into()).into_tokens().into()
}

#[doc = include_str!("guard/keys.md")]
///
/// Route macros such as `#[get("/")]` may stand above or below this attribute. In an `impl` block use `require_login`,
/// `require_fresh`, `guest_only` or `public` alone: everything else defines an item beside the handler, and an `impl` block
/// cannot hold it.
#[proc_macro_attribute]
pub fn session_actix(args: TokenStream, item: TokenStream) -> TokenStream {
    guard::expand(&guard::Adapter::actix(), args.into(), item.into()).into_tokens().into()
}

/// Guards a handler of a framework that extracts arguments in order: for the attribute `#[session(..)]` of an adapter outside
/// of SessionKit.
///
/// The guard type of the adapter and a `;` come before what the user wrote. The handler gets a first argument of the type
/// `Guard<C>`, where `C` implements `Check`:
///
/// ```ignore
/// #[session_in_order(::my_adapter::Guard; require_login)]
/// async fn account(person: User<Person>) -> String { .. }
///
/// // becomes
/// async fn account(_: ::my_adapter::Guard<RequireLogin>, person: User<Person>) -> String { .. }
/// ```
///
/// `Guard<C>` is an extractor of the framework. It sets the request's `sessionkit_core::adapter::GuardMark`, if there is one,
/// calls `sessionkit_core::adapter::guard::<C>`, and fails with its rejection.
///
/// An attribute cannot be re-exported with arguments. So the adapter has a crate of its own for `#[session(..)]`, which adds the
/// guard type, and hands on everything else as it is:
///
/// ```ignore
/// use proc_macro::TokenStream;
/// use quote::quote;
///
/// /// Guards a handler: `#[session(require_login)]`.
/// #[proc_macro_attribute]
/// pub fn session(args: TokenStream, item: TokenStream) -> TokenStream {
///     let (args, item) = (proc_macro2::TokenStream::from(args), proc_macro2::TokenStream::from(item));
///     quote!(#[::my_adapter::__private::session_in_order(::my_adapter::Guard; #args)] #item).into()
/// }
/// ```
///
/// The code that it makes names `::sessionkit` too, unless the user writes `crate = path`: applications depend on both.
#[proc_macro_attribute]
pub fn session_in_order(args: TokenStream, item: TokenStream) -> TokenStream {
    let extraction = guard::Extraction::InOrder { most: usize::MAX };
    guard::expand_for(extraction, args.into(), item.into()).into_tokens().into()
}

/// Guards a handler of a framework that extracts all arguments together: for the attribute `#[session(..)]` of an adapter
/// outside of SessionKit.
///
/// It is used as [`session_in_order`] is. The handler gets one argument in place of all, of the type `Guard<C, (A, B)>`:
///
/// ```ignore
/// #[session_together(::my_adapter::Guard; require_login)]
/// async fn change(person: User<Person>, form: Form<Change>) -> String { .. }
///
/// // becomes
/// async fn change(
///     ::my_adapter::Guard(_, (person, form)): ::my_adapter::Guard<RequireLogin, (User<Person>, Form<Change>)>,
/// ) -> String { .. }
/// ```
///
/// `Guard<C, A>` is a tuple struct with two fields, the second of which is an `A`. It is an extractor of the framework that
/// does what the other one does first, and extracts `A` if that let the request pass.
#[proc_macro_attribute]
pub fn session_together(args: TokenStream, item: TokenStream) -> TokenStream {
    guard::expand_for(guard::Extraction::Together, args.into(), item.into()).into_tokens().into()
}
