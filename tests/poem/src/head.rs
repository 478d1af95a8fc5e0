//! The head of a request.

use poem::Request;
use sessionkit_core::RequestHead;

/// Returns what SessionKit looks at of a request.
pub(crate) fn head(request: &Request) -> RequestHead<'_> {
    // A nested route strips its prefix of the path, and people have to come back to all of it after a login. A request that
    // was built by hand, in a test, has no original path: then it is `/`.
    let uri = match request.original_uri() {
        original if original.path() == "/" => request.uri(),
        original => original,
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let authority = uri.authority().map(|authority| authority.as_str());
    RequestHead::new(request.method().as_str(), target, request.headers()).with_authority(authority)
}
