//! The list of who may call which handler.

use std::fmt;

/// Lists every handler under `#[session(..)]` of this program with what it requires (feature `access-matrix`).
///
/// A handler is listed because it is compiled, whether or not a route leads to it; one without the attribute is not listed.
///
/// ```
/// use sessionkit::axum::session;
///
/// #[session(require_login)]
/// async fn profile() -> &'static str {
///     "yours"
/// }
///
/// let matrix = sessionkit::access_matrix();
/// assert!(matrix.iter().any(|access| access.handler.ends_with("::profile") && access.requirement == "require_login"));
/// print!("{matrix}");
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(profile));
/// ```
pub fn access_matrix() -> AccessMatrix {
    let mut handlers: Vec<Access> = inventory::iter::<Access>.into_iter().copied().collect();
    handlers.sort_unstable();
    AccessMatrix { handlers }
}

/// The requirements of a handler.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Access {
    /// The path of the handler: `shop::cart::add`. Of one in an `impl` block or in another function, that is the module's
    /// path and its own name.
    pub handler: &'static str,
    /// The arguments of the attribute, as they are written: `require_login, require = is_admin`.
    pub requirement: &'static str,
    /// The file that the attribute is in.
    pub file: &'static str,
    /// The line that the attribute is in.
    pub line: u32,
}

inventory::collect!(Access);

impl Access {
    #[doc(hidden)]
    pub const fn __new(handler: &'static str, requirement: &'static str, file: &'static str, line: u32) -> Self {
        Self { handler, requirement, file, line }
    }
}

/// All guarded handlers of a program, sorted by their paths; from [`access_matrix`]. Printed, it is a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessMatrix {
    handlers: Vec<Access>,
}

impl AccessMatrix {
    /// The handlers, one after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Access> {
        self.handlers.iter()
    }
}

impl<'a> IntoIterator for &'a AccessMatrix {
    type Item = &'a Access;
    type IntoIter = std::slice::Iter<'a, Access>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for AccessMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: fn(&Access) -> &'static str| self.iter().map(|access| column(access).chars().count()).max();
        let (handler, requirement) = (width(|access| access.handler), width(|access| access.requirement));
        let (handler, requirement) = (handler.unwrap_or_default(), requirement.unwrap_or_default());
        self.iter().try_for_each(|access| {
            let (place, line) = (access.file, access.line);
            writeln!(f, "{:<handler$}  {:<requirement$}  {place}:{line}", access.handler, access.requirement)
        })
    }
}
