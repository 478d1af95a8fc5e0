//! The paths that are exempt.

/// A path, or the beginning of one.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    segments: Vec<Box<str>>,
    /// True if what is below belongs to it too.
    open: bool,
}

impl Pattern {
    /// Reads a path; a `*` stands for one segment, and a slash at the end for everything below.
    ///
    /// # Errors
    /// Says what to write instead.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let Some(rest) = pattern.strip_prefix('/') else { return Err("begin it with a slash") };
        if rest.is_empty() {
            return Err("it would exempt every path: leave the protection out instead");
        }
        if !is_plain(pattern) || pattern.contains(['?', '#', '%']) {
            return Err("write a plain path: no query, no percent-encoding, no empty segment, no `.` and no `..`");
        }
        let (rest, open) = rest.strip_suffix('/').map_or((rest, false), |rest| (rest, true));
        Ok(Self { segments: rest.split('/').map(Into::into).collect(), open })
    }

    /// Returns whether a path is exempt. One that a server could read in two ways is not.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/').filter(|_| is_plain(path)) else { return false };
        let mut segments = rest.split('/');
        let begins = self.segments.iter().all(|expected| match segments.next() {
            Some(segment) => (&**expected == "*" && !segment.is_empty()) || **expected == *segment,
            None => false,
        });
        begins && segments.next().is_some() == self.open
    }
}

/// Returns whether no router, proxy or handler takes the path for another one.
fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2e", "%2f", "%5c", "%25", "%00", "\\", "//"].iter().any(|hidden| lower.contains(hidden));
    // A parameter after a semicolon is cut off by some servers before they look for dots.
    let dots = path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")));
    !hidden && !dots && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_was_written_is_exempt() {
        let matches = |pattern: &str, path: &str| Pattern::parse(pattern).expect("a pattern").matches(path);
        for (pattern, path) in [
            ("/hook", "/hook"),
            ("/webhooks/", "/webhooks/"),
            ("/webhooks/", "/webhooks/pay/1"),
            ("/shops/*/hook", "/shops/7/hook"),
            ("/shops/*/", "/shops/7/a/b"),
            ("/webhooks/", "/webhooks/caf%C3%A9"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/hook", "/hook/"),
            ("/hook", "/hook/x"),
            ("/hook", "/hooks"),
            ("/hook", "/Hook"),
            ("/hook", "/%68ook"),
            ("/webhooks/", "/webhooks"),
            ("/webhooks/", "/webhooksx/a"),
            ("/webhooks/", "//webhooks/a"),
            ("/webhooks/", "/webhooks/../account"),
            ("/webhooks/", "/webhooks/..;a/account"),
            ("/webhooks/", "/webhooks/%2e%2e/account"),
            ("/webhooks/", "/webhooks/.%2E/account"),
            ("/webhooks/", "/webhooks/%252e%252e/account"),
            ("/webhooks/", "/webhooks/..%2faccount"),
            ("/webhooks/", "/webhooks/..\\account"),
            ("/webhooks/", "/webhooks/%5c../account"),
            ("/webhooks/", "/webhooks//account"),
            ("/webhooks/", "webhooks/a"),
            ("/shops/*/hook", "/shops//hook"),
            ("/shops/*/hook", "/shops/7/8/hook"),
            ("/shops/*", "/shops/"),
            ("/shops/*/hook", "/shops/7"),
            ("/webhooks/", "/webhooks/./account"),
            ("/webhooks/", "/webhooks/a%00b"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        for pattern in
            ["", "hook", "/", "//", "/a//b", "/a/../b", "/a/./b", "/a?b", "/a#b", "/%61", "/a b", "/a\\b", "/caf\u{e9}"]
        {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
