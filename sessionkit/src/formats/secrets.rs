//! The secrets of formats: texts that applications chose.

use std::fmt;
use std::sync::Arc;

use sessionkit_core::KeyError;
use sessionkit_core::facade::{check_secret, check_secret_in_use, secret_error};
use zeroize::Zeroizing;

/// The secrets of a format: the first one signs, all of them verify.
///
/// To replace a secret, put the new one before it; the old one can go when the last cookie of it has expired. So nobody is logged out.
///
/// ```
/// use sessionkit::formats::Secrets;
///
/// // Usually from the environment. `openssl rand -base64 32` makes one.
/// let secrets = Secrets::new([
///     "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0",
///     "Zq4tLw8nXb2vRk6yHs9mPd3fGj7cTa1uEe5oKi0QxNY",
/// ])?;
///
/// assert!(Secrets::new(["your-secret-key"]).is_err());
/// # let _ = secrets;
/// # Ok::<(), sessionkit::KeyError>(())
/// ```
///
/// Secrets are wiped from memory when they are dropped, and never printed.
#[derive(Clone)]
pub struct Secrets(Arc<[Zeroizing<String>]>);

impl Secrets {
    /// Makes the secrets of a new application: each has 32 random characters or more.
    ///
    /// # Errors
    /// Fails when there is no secret, or when one is short, does not look random, or is published.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Self::checked(secrets, check_secret)
    }

    /// Makes the secrets of an application that runs already, with which it signed cookies. Short ones are taken: replace
    /// them soon.
    ///
    /// # Errors
    /// Fails when there is no secret, or when one is empty or published: cookies of such a secret are anybody's.
    pub fn of_running_application<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        Self::checked(secrets, check_secret_in_use)
    }

    fn checked<S: AsRef<str>>(
        secrets: impl IntoIterator<Item = S>,
        check: fn(&str) -> Result<(), KeyError>,
    ) -> Result<Self, KeyError> {
        let checked = secrets.into_iter().map(|secret| {
            let secret = secret.as_ref();
            check(secret).map(|()| Zeroizing::new(secret.to_owned()))
        });
        let secrets: Arc<[_]> = checked.collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(secret_error("is missing")) } else { Ok(Self(secrets)) }
    }

    /// Takes the secrets of published examples.
    #[cfg(test)]
    pub(crate) fn unchecked<const N: usize>(secrets: [&str; N]) -> Self {
        Self(secrets.into_iter().map(|secret| Zeroizing::new(secret.to_owned())).collect())
    }

    /// Returns the secrets, the one that signs first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|secret| secret.as_str())
    }
}

/// Shows the number of secrets.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U";

    #[test]
    fn each_secret_is_checked() {
        assert_eq!(Secrets::new([RANDOM]).unwrap().iter().collect::<Vec<_>>(), [RANDOM]);
        for refused in [vec![], vec![""], vec!["short"], vec![RANDOM, "short"], vec![RANDOM, "your-secret-key"]] {
            assert!(Secrets::new(&refused).is_err(), "{refused:?}");
        }
        assert!(Secrets::new(Vec::<String>::new()).unwrap_err().to_string().contains("is missing"));
    }

    #[test]
    fn a_running_application_may_have_a_short_one() {
        let secrets = Secrets::of_running_application([RANDOM, "short"]).unwrap();
        assert_eq!(secrets.iter().collect::<Vec<_>>(), [RANDOM, "short"]);
        for refused in [vec![], vec![""], vec!["DONOTUSE"], vec!["short", "django-insecure-x"]] {
            assert!(Secrets::of_running_application(&refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", Secrets::new([RANDOM]).unwrap());
        assert_eq!(shown, "Secrets { count: 1, .. }");
    }
}
