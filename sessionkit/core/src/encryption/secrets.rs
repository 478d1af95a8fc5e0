//! The secrets of other systems' formats: texts that applications chose, not keys of a ring.

use std::fmt;

use super::key_ring::{ADVICE, KeyError, LEAST, weakness};

/// Secrets that stand in the documentation or in the code of the systems whose formats are read, in small letters.
const PUBLISHED: &[&str] = &[
    // Anybody's.
    "change-me",
    "change_me",
    "changeme",
    "dev",
    "example",
    "helloworld",
    "insecure",
    "my secret",
    "my-secret",
    "my-secret-key",
    "my_secret",
    "secret",
    "secret-key",
    "secret_key",
    "secretkey",
    "super secret key",
    "super-secret",
    "supersecret",
    "your-256-bit-secret",
    "your-secret-key",
    "your-secret-key-here",
    "your_secret_key",
    "your_secret_key_here",
    // express-session.
    "keyboard cat",
    // fastapi_session.
    "2bcuqd_9qwuq4zxmdvpwfwwrlgdret_oymqis_ubo_o",
    // fastapi-sessions.
    "donotuse",
    // The specification of Fernet.
    "cw_0x689rpi-jtrr7oe8h_eqskimvjaplesbxpwf4e4=",
    // Flask.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "_5#y2l\"f4q8z\n\u{ec}]/",
    "_5#y2l\"f4q8z\\n\\xec]/",
    "flask-secret",
    // iron-session.
    "complex_password_at_least_32_characters_long",
    // jwt.io, which has the one of 256 bits too.
    "a-string-secret-at-least-256-bits-long",
    // Muffin-Session and asgi-sessions.
    "insecuresecret",
    "really_secret_key",
    "session-secret",
    "sessions-secret",
    // Ravyn.
    "p7!3cq1rapxd!@l=gz-&&k*h8sk_n8#1#+n6&q@cb&r!^z^2!g",
];

/// Beginnings of the secrets that the commands of Django, and of Lilya and Ravyn, write into new projects.
const INSECURE: &[&str] = &["django-insecure-", "lilya-insecure-", "ravyn-insecure-"];

/// Checks the secret of a new application: at least 256 bits, and it looks random.
///
/// # Errors
/// Fails with what to do, and does not quote the secret.
pub fn check_secret(secret: &str) -> Result<(), KeyError> {
    check_secret_in_use(secret)?;
    if secret.len() < LEAST {
        return Err(secret_error(format_args!("has {} characters, and needs {LEAST} at least", secret.len())));
    }
    match weakness(secret, secret.as_bytes()) {
        // A secret is a text; that it has capitals and digits is not asked of it.
        Some("it is a text") | None => Ok(()),
        Some(weakness) => Err(secret_error(format_args!("is not random, {weakness}"))),
    }
}

/// Checks the secret of an application that runs already, which cannot choose another one at once: it is not empty, and not
/// published.
///
/// # Errors
/// Fails with what to do, and does not quote the secret.
pub fn check_secret_in_use(secret: &str) -> Result<(), KeyError> {
    if secret.is_empty() {
        return Err(secret_error("is empty"));
    }
    let lower = secret.to_ascii_lowercase();
    if PUBLISHED.contains(&lower.as_str()) || INSECURE.iter().any(|beginning| lower.starts_with(beginning)) {
        return Err(secret_error("is one that everybody knows"));
    }
    Ok(())
}

/// Makes the error of a secret from its problem, "is empty" for example, which does not quote it.
pub fn secret_error(problem: impl fmt::Display) -> KeyError {
    KeyError::new(format!("the secret {problem}: {ADVICE}"))
}

/// Makes the error of a key of another kind from a message that says what to do, and does not quote the key.
pub fn key_error(message: impl Into<String>) -> KeyError {
    KeyError::new(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_secret_is_taken() {
        for secret in [
            "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U",
            "b6f1c3d84e9a07f25d1b8c3e6a4f907d2c5b8e1a3f6d9047c2e5b8a1d3f60947",
            "h8#k!2s=gz-&q*w7sk_n4#1#+n6(@cb$r!^z^x9%d(mvu@2p0e",
        ] {
            assert_eq!(check_secret(secret), Ok(()), "{secret}");
        }
    }

    #[test]
    fn a_weak_secret_is_refused_unless_it_is_in_use() {
        for (secret, problem) in [
            ("hunter2", "has 7 characters, and needs 32"),
            ("3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCp", "has 31 characters"),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "it repeats itself"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcd", "it counts"),
            ("aabbaabbababbbaaababaabbabababbaaabb", "few"),
        ] {
            let error = check_secret(secret).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("openssl rand"), "{secret}: {error}");
            assert!(!error.contains(secret), "{error}");
            assert_eq!(check_secret_in_use(secret), Ok(()), "{secret}");
        }
    }

    #[test]
    fn a_published_secret_is_refused_though_it_is_in_use() {
        let generated =
            INSECURE.iter().map(|beginning| format!("{beginning}3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U"));
        let published = PUBLISHED.iter().map(|secret| (*secret).to_owned());
        for secret in published.chain(generated) {
            for secret in [secret.to_ascii_uppercase(), secret] {
                let error = check_secret_in_use(&secret).unwrap_err();
                assert!(error.to_string().contains("everybody knows"), "{secret}: {error}");
                assert_eq!(check_secret(&secret), Err(error));
            }
        }
        assert!(check_secret_in_use("").unwrap_err().to_string().contains("is empty"));
    }
}
