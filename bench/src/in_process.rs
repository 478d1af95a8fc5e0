//! Calling an application without a socket, on one thread, so that the same work costs the same every time.

mod actix;
mod axum;

use crate::candidate::{Backend, Candidate, FILL, Framework, Library, Route};
use crate::content::NAME;

/// An application that can be called.
pub trait Callable {
    /// The value of a `Cookie` header, ready to be sent many times.
    type Cookies: Clone;
    type Response;

    fn cookies(header: &str) -> Self::Cookies;

    fn call(&self, path: &'static str, cookies: Option<&Self::Cookies>) -> impl Future<Output = Self::Response>;

    /// The status, the values of `Set-Cookie`, and the body.
    fn read(response: Self::Response) -> impl Future<Output = (u16, Vec<String>, String)>;
}

/// A task to do with an application, whatever its framework.
pub trait Job {
    type Output;

    fn run<C: Callable>(self, app: &C) -> impl Future<Output = Self::Output>;
}

/// Makes the application of a candidate and does something with it.
pub fn run<J: Job>(candidate: Candidate, backend: &Backend, job: J) -> J::Output {
    match candidate.framework {
        Framework::Axum => axum::run(candidate.library, backend, job),
        Framework::Actix => actix::run(candidate.library, backend, job),
    }
}

/// Begins a session and returns what the client sends from now on.
pub async fn begin<C: Callable>(app: &C) -> String {
    // Under valgrind the first connection to Redis takes longer than a commit may.
    for _ in 0..20 {
        let (status, set, _) = C::read(app.call(FILL, None).await).await;
        if status == 200 {
            return pairs(&set);
        }
    }
    panic!("no session can be begun")
}

/// The names and values of the cookies that were set.
pub fn pairs(set: &[String]) -> String {
    let pair = |cookie: &String| cookie.split(';').next().unwrap_or_default().to_owned();
    set.iter().map(pair).collect::<Vec<_>>().join("; ")
}

/// Makes sure that the application does what is measured: what was stored is read, and what was changed is changed.
pub async fn check<C: Callable>(app: &C, candidate: Candidate, cookies: &C::Cookies) {
    let body = async |route: Route| {
        let (status, _, body) = C::read(app.call(route.path(), Some(cookies)).await).await;
        assert_eq!(status, 200, "{candidate} answers on {route}");
        body
    };
    if candidate.library == Library::Guarded {
        for route in Route::GUARDED {
            assert_eq!(body(route).await, NAME);
        }
        return;
    }
    assert_eq!(body(Route::Untouched).await, "untouched");
    assert_eq!(body(Route::Read).await, NAME, "{candidate}");
    if candidate.has_sessions() {
        let (before, after) = (body(Route::Write).await, body(Route::Write).await);
        assert_eq!(before.parse::<u64>().ok().map(|before| before + 1), after.parse().ok(), "{candidate}");
    }
}

/// Our cookies among this many others.
pub fn among(cookies: &str, others: usize) -> String {
    let other = |n: usize| format!("preference_{n:04}={n:06}");
    let first = (0..others / 2).map(other);
    let last = (others / 2..others).map(other);
    let ours = Some(cookies.to_owned()).filter(|cookies| !cookies.is_empty());
    first.chain(ours).chain(last).collect::<Vec<_>>().join("; ")
}
