//! Text in HTML.

use std::fmt::{self, Display, Write};
use std::time::Duration;

/// A row of a table.
pub(super) fn row(rows: &mut String, cells: &str) {
    rows.extend(["<tr>", cells, "</tr>"]);
}

/// A line of a description list.
pub(super) fn fact(facts: &mut String, name: &str, value: &str) {
    let _ = write!(facts, "<div><dt>{}</dt><dd>{}</dd></div>", Text(name), Text(value));
}

/// An entry of a list of cards: what it is, what there is to say about it, and what can be done.
pub(super) fn entry(entries: &mut String, what: &str, about: &str, action: &str) {
    let what = format_args!(r#"<strong>{what}</strong><span class="hint">{about}</span>"#);
    let _ = write!(entries, r#"<li><div class="what">{what}</div>{action}</li>"#);
}

/// Text in HTML, in an attribute too.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            char => f.write_char(char),
        })
    }
}

/// The mistake in what a person typed, if there is one.
pub(super) struct Alert<'a>(pub(super) Option<&'a str>);

impl Display for Alert<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |error| write!(f, r#"<p class="error" role="alert">{}</p>"#, Text(error)))
    }
}

/// A length of time in its two largest units.
pub(super) struct Span(pub(super) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [("day", seconds / 86_400), ("hour", seconds / 3_600 % 24), ("minute", seconds / 60 % 60)];
        let mut shown = units.into_iter().skip_while(|(_, count)| *count == 0).take(2).filter(|(_, count)| *count > 0);
        let mut one = |f: &mut fmt::Formatter<'_>, before: &str| match shown.next() {
            Some((unit, 1)) => write!(f, "{before}1 {unit}").map(|()| true),
            Some((unit, count)) => write!(f, "{before}{count} {unit}s").map(|()| true),
            None => Ok(false),
        };
        if !one(f, "")? {
            return f.write_str("less than a minute");
        }
        one(f, " and ").map(drop)
    }
}
