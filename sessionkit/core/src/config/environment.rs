//! Settings from the environment of the process.

use super::nearest::nearest;
use super::value::Value;
use super::{ConfigError, SessionConfig, SessionConfigBuilder};

const PREFIX: &str = "SESSION_";

impl SessionConfig {
    /// Reads the settings from the variables of the process: `SESSION_TTL=30m` is the setting `ttl`, and so on for every
    /// setting. What is not set, or empty, has its default.
    ///
    /// Other variables that begin with `SESSION_` are left alone, with an event at the level debug: an application, a shell
    /// or a desktop has some of its own. One whose name is a letter away from that of a setting is an error, since it is
    /// more likely misspelt; two letters count where the setting has eight or more.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// let config = sessionkit::SessionConfig::from_env()?;
    /// # let _ = config;
    /// # Ok::<(), sessionkit_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Fails when a variable cannot be read, with its name and what is accepted, and when settings contradict each other.
    pub fn from_env() -> Result<Self, ConfigError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Self::from_variables(variables)
    }

    /// Reads the settings from variables as [`from_env`](Self::from_env) does, wherever they come from.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::SessionConfig;
    ///
    /// let config = SessionConfig::from_variables([("SESSION_TTL", "30m"), ("SESSION_ROLLING", "extend(10m)")])?;
    /// # let _ = config;
    ///
    /// let refused = SessionConfig::from_variables([("SESSION_TTL", "soon")]).unwrap_err();
    /// assert!(refused.to_string().starts_with("SESSION_TTL: expected a duration"));
    /// # Ok::<(), sessionkit_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`from_env`](Self::from_env) does.
    pub fn from_variables<N: AsRef<str>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = SessionConfigBuilder::default();
        for (variable, value) in variables {
            let (variable, value) = (variable.as_ref(), value.into());
            let Some(name) = variable.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
            let value = if value.trim().is_empty() { Value::Absent } else { Value::Text(value.trim().into()) };
            match settings.write(&name, &value) {
                Some(Ok(())) => {}
                Some(Err(misfit)) => return Err(ConfigError(format!("{variable}: {misfit}"))),
                None => foreign(variable, &name)?,
            }
        }
        settings.build()
    }
}

/// Leaves a variable of another program alone, unless its name is nearly that of a setting.
fn foreign(variable: &str, name: &str) -> Result<(), ConfigError> {
    if let Some(setting) = nearest(name, SessionConfigBuilder::NAMES) {
        let meant = format!("{PREFIX}{}", setting.to_ascii_uppercase());
        return Err(ConfigError(format!("{variable} is not a setting: did you mean {meant}?")));
    }
    tracing::debug!(
        target: "sessionkit",
        event = "not_a_setting",
        %variable,
        "variable ignored: not a session setting"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_not_silent_and_one_of_the_application_is_let_be() {
        let refused = |variable: &str| {
            let read = SessionConfig::from_variables([(variable, "a secret")]);
            let error = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("a secret"), "{error}");
            error
        };
        for (variable, meant) in [
            ("SESSION_TLL", "SESSION_TTL"),
            ("SESSION_TLT", "SESSION_TTL"),
            ("SESSION_COOKE_NAME", "SESSION_COOKIE_NAME"),
            ("SESSION_COKIE_NAM", "SESSION_COOKIE_NAME"),
            ("SESSION_COOKIE_MAXAGE", "SESSION_COOKIE_MAX_AGE"),
            ("SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_SAME_SITE"),
            ("SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_HTTP_ONLY"),
            ("SESSION_ON_BAD_COOKIES", "SESSION_ON_BAD_COOKIE"),
            ("SESSION_LOGIN_URI", "SESSION_LOGIN_URL"),
            ("SESSION_ROLING", "SESSION_ROLLING"),
        ] {
            assert_eq!(refused(variable), format!("{variable} is not a setting: did you mean {meant}?"));
        }
        for variable in [
            "SESSION_USER",
            "SESSION_NAME",
            "SESSION_HOME",
            "SESSION_LOGIN",
            "SESSION_PATH",
            "SESSION_DOMAIN",
            "SESSION_COOKIE",
            "SESSION_SAMESITE",
            "SESSION_SECURE",
            "SESSION_MANAGER",
            "SESSION_DEVICE",
            "SESSION_DEADLINE",
            "SESSION_HOST_URL",
            "SESSION_STORE",
            "SESSION_SECRET_KEY",
            "SESSION_DB",
            "SESSION_ID",
            "SESSION_",
            "TTL",
            "session_tll",
        ] {
            assert_eq!(refused(variable), "", "{variable}");
        }
    }

    #[test]
    fn empty_variables_are_not_set() {
        let config = SessionConfig::from_variables([("SESSION_TTL", ""), ("SESSION_COOKIE_DOMAIN", " ")]).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", SessionConfig::default()));
    }
}
