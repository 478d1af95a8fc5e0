//! The secrets of other systems' formats: texts that applications chose, not keys of a ring.

use super::key_ring::{ADVICE, KeyError, LEAST, weakness};

/// Secrets that stand in the documentation or in the code of the systems whose formats are read.
const PUBLISHED: [&str; 22] = [
    "your-secret-key",
    "your-secret-key-here",
    "your_secret_key",
    "your-256-bit-secret",
    "insecuresecret",
    "insecure",
    "donotuse",
    "secret",
    "secret-key",
    "secret_key",
    "secretkey",
    "supersecret",
    "super-secret",
    "super secret key",
    "changeme",
    "change-me",
    "dev",
    "keyboard cat",
    "flask-secret",
    "really_secret_key",
    "my_secret",
    "my-secret",
];

/// Checks the secret of a new application: at least 256 bits, and it looks random.
///
/// # Errors
/// Fails with what to do, and does not quote the secret.
pub fn check_secret(secret: &str) -> Result<(), KeyError> {
    check_secret_in_use(secret)?;
    if secret.len() < LEAST {
        return Err(error(format_args!("has {} characters, and needs {LEAST} at least", secret.len())));
    }
    match weakness(secret, secret.as_bytes()) {
        // A secret is a text; that it has capitals and digits is not asked of it.
        Some("it is a text") | None => Ok(()),
        Some(weakness) => Err(error(format_args!("is not random, {weakness}"))),
    }
}

/// Checks the secret of an application that runs already, which cannot choose another one at once: it is not empty, and not
/// published.
///
/// # Errors
/// Fails with what to do, and does not quote the secret.
pub fn check_secret_in_use(secret: &str) -> Result<(), KeyError> {
    if secret.is_empty() {
        return Err(error(format_args!("is empty")));
    }
    let lower = secret.to_ascii_lowercase();
    if PUBLISHED.contains(&lower.as_str()) || lower.starts_with("django-insecure-") {
        return Err(error(format_args!("is one that everybody knows")));
    }
    Ok(())
}

fn error(problem: std::fmt::Arguments<'_>) -> KeyError {
    KeyError::new(format!("the secret {problem}: {ADVICE}"))
}
