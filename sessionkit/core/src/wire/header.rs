//! Headers of responses: which can be sent, and which describe a body.

/// Says why an application cannot give a header of this lower-case name and this value to a rejection.
pub(crate) fn objection(name: &str, value: &str) -> Option<&'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some("its name may hold letters, digits and `-`");
    }
    if name == "content-type" {
        return Some("it belongs to the body: use `with_body`");
    }
    if matches!(
        name,
        "connection" | "content-encoding" | "content-length" | "trailer" | "transfer-encoding" | "upgrade"
    ) {
        return Some("the server sets it by itself");
    }
    let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    (!value.bytes().all(is_visible)).then_some("its value may hold visible ASCII and spaces")
}

/// Returns whether a header of this lower-case name belongs to the body or to the status of a response, and goes with
/// them.
pub(crate) fn goes_with_the_body(name: &str) -> bool {
    matches!(
        name,
        "accept-ranges"
            | "age"
            | "connection"
            | "content-digest"
            | "content-disposition"
            | "content-encoding"
            | "content-language"
            | "content-length"
            | "content-location"
            | "content-md5"
            | "content-range"
            | "content-type"
            | "digest"
            | "etag"
            | "expires"
            | "last-modified"
            | "location"
            | "refresh"
            | "repr-digest"
            | "sec-websocket-accept"
            | "sec-websocket-extensions"
            | "sec-websocket-protocol"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_sent_and_is_nobody_elses_matter_is_a_header() {
        for (name, value) in
            [("retry-after", "120"), ("www-authenticate", "Bearer realm=\"shop\""), ("hx-redirect", "/")]
        {
            assert_eq!(objection(name, value), None, "{name}");
        }
        let refused = [
            ("", "x", "its name"),
            ("x y", "x", "its name"),
            ("x:", "x", "its name"),
            ("x\r\nset-cookie", "x", "its name"),
            ("x-é", "x", "its name"),
            ("x", "a\r\nset-cookie: session=1", "its value"),
            ("x", "a\nb", "its value"),
            ("x", "\0", "its value"),
            ("x", "\u{7f}", "its value"),
            ("x", "é", "its value"),
            ("content-type", "text/plain", "with_body"),
            ("content-length", "0", "by itself"),
            ("transfer-encoding", "chunked", "by itself"),
        ];
        for (name, value, says) in refused {
            let objection = objection(name, value).unwrap_or_else(|| panic!("{name}: {value}"));
            assert!(objection.contains(says), "{name:?}: {value:?}: {objection}");
        }
    }
}
