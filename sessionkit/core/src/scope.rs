//! The scope of a session: the name that tells the sessions of one application apart.

/// Names one session of an application that has several, a shop's and its back office's for example.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// struct Office;
/// impl sessionkit::SessionScope for Office {
///     const NAME: &'static str = "Office";
/// }
/// ```
///
/// A struct joins it with `#[session(scope = Office)]`; each scope needs a cookie of its own name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a session scope",
    note = "write `impl SessionScope for {Self} {{ const NAME: &'static str = \"..\"; }}`"
)]
pub trait SessionScope: Send + Sync + 'static {
    /// The name, in logs and in what is stored: under another name the sessions of before open nothing.
    const NAME: &'static str;
}

/// The scope of everything that names no other.
#[derive(Clone, Copy, Debug)]
pub struct MainScope;

impl SessionScope for MainScope {
    const NAME: &'static str = "Main";
}
