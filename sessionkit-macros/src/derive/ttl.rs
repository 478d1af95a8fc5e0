//! The duration in `ttl = "10m"`.

use crate::args::{Arg, Value};
use crate::errors::Errors;
use crate::seconds;

/// The longest ttl, in seconds: what fits into 28 bits, eight and a half years.
const LONGEST: u32 = (1 << 28) - 1;

pub(crate) fn seconds(arg: &Arg, errors: &Errors) -> Option<u32> {
    if let Value::Literal(syn::Lit::Int(number)) = &arg.value {
        errors
            .on(number, format_args!("`ttl` needs a unit: write `ttl = \"{}s\"` for seconds", number.base10_digits()));
        return None;
    }
    let text = arg.string("\"10m\"", errors)?;
    match parse(&text.value()) {
        Ok(seconds) => Some(seconds),
        Err(message) => {
            errors.on(&text, message);
            None
        }
    }
}

fn parse(text: &str) -> Result<u32, String> {
    let seconds = seconds::parse(text)?;
    match u32::try_from(seconds) {
        Ok(0) => Err("a ttl is at least \"1s\"; a field that is never stored is a `skip` field".to_owned()),
        Ok(seconds @ 1..=LONGEST) => Ok(seconds),
        _ => Err(format!("a ttl is at most \"{LONGEST}s\" (8.5 years); leave `ttl` out for a value that does not end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_a_number_and_a_unit() {
        assert_eq!(parse("30s"), Ok(30));
        assert_eq!(parse("10m"), Ok(600));
        assert_eq!(parse("12h"), Ok(43_200));
        assert_eq!(parse("7d"), Ok(604_800));
        assert_eq!(parse("268435455s"), Ok(LONGEST));
        assert_eq!(parse("2000ms"), Ok(2));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "m",
            "10",
            "10 m",
            " 10m",
            "-1s",
            "+1s",
            "1.5h",
            "1w",
            "10ms",
            "1h30m",
            "10é",
            "0s",
            "268435456s",
            "99999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
