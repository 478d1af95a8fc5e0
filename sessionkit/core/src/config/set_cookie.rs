//! The `Set-Cookie` headers that the settings make.

use std::time::Duration;

use crate::config::{LONGEST_COOKIE, SameSite, Settings};
use crate::token::{TOKEN_TEXT, Token};

/// Writes the `Set-Cookie` that gives a token to the client.
pub(crate) fn set(settings: &Settings, token: &Token, max_age: Option<Duration>) -> String {
    write(settings, &settings.cookie_name, &token.expose(), max_age)
}

/// The length of the longest `Set-Cookie` that these settings can make.
pub(crate) fn longest(settings: &Settings) -> usize {
    longest_attributes(settings) + TOKEN_TEXT
}

/// The length of the longest `Set-Cookie` that these settings can make, without a value.
pub(crate) fn longest_attributes(settings: &Settings) -> usize {
    write(settings, &settings.cookie_name, "", Some(LONGEST_COOKIE)).len()
}

/// Writes a `Set-Cookie` with this name and value.
pub(crate) fn write(settings: &Settings, name: &str, value: &str, max_age: Option<Duration>) -> String {
    let mut header = format!("{name}={value}");
    if let Some(age) = max_age {
        header.push_str(&format!("; Max-Age={}", age.as_secs()));
    }
    attributes(settings, &mut header);
    header
}

/// Writes the `Set-Cookie` that removes a cookie of ours. Its attributes must be the same, or browsers keep the cookie.
pub(crate) fn remove(settings: &Settings, name: &str) -> String {
    let mut header = format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    attributes(settings, &mut header);
    header
}

/// The name and the attributes, for people.
pub(crate) fn shape(settings: &Settings) -> String {
    let mut shape = settings.cookie_name.clone();
    attributes(settings, &mut shape);
    shape
}

fn attributes(settings: &Settings, header: &mut String) {
    header.push_str("; Path=");
    header.push_str(&settings.cookie_path);
    if let Some(domain) = &settings.cookie_domain {
        header.push_str("; Domain=");
        header.push_str(domain);
    }
    header.push_str(match settings.cookie_same_site {
        SameSite::Strict => "; SameSite=Strict",
        SameSite::Lax => "; SameSite=Lax",
        SameSite::None => "; SameSite=None",
    });
    for (set, attribute) in [
        (settings.cookie_secure, "; Secure"),
        (settings.cookie_http_only, "; HttpOnly"),
        (settings.cookie_partitioned, "; Partitioned"),
    ] {
        if set {
            header.push_str(attribute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionConfig;
    use crate::token::OsRandom;

    #[test]
    fn the_cookie_is_removed_with_the_attributes_it_was_set_with() {
        let config = SessionConfig::default();
        let token = Token::new(&OsRandom);
        let set = set(config.settings(), &token, Some(Duration::from_secs(60)));
        let attributes = "; Path=/; SameSite=Lax; Secure; HttpOnly";
        assert_eq!(set, format!("__Host-session={}; Max-Age=60{attributes}", token.expose()));
        assert!(remove(config.settings(), "__Host-session").starts_with("__Host-session=; Max-Age=0; "));
        assert!(remove(config.settings(), "__Host-session").ends_with(attributes));
    }
}
