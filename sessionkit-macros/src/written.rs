//! Tokens as the user wrote them, for people to read.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The text of tokens: with a space wherever the source has one or more, or a line break.
pub(crate) fn as_written(tokens: TokenStream) -> String {
    let mut text = Text { text: String::new(), end: None };
    text.add_all(tokens);
    text.text
}

struct Text {
    text: String,
    /// The position at which the last token ended.
    end: Option<Position>,
}

/// A line and a column.
type Position = (usize, usize);

impl Text {
    fn add_all(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    self.add(open, group.span_open());
                    self.add_all(group.stream());
                    self.add(close, group.span_close());
                }
                other => self.add(&other.to_string(), other.span()),
            }
        }
    }

    fn add(&mut self, token: &str, span: Span) {
        if token.is_empty() {
            return;
        }
        let (start, end) = positions(span).unzip();
        let touches = start.is_some() && start == self.end;
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let would_merge = self.text.ends_with(is_word) && token.starts_with(is_word);
        if !self.text.is_empty() && (!touches || would_merge) {
            self.text.push(' ');
        }
        self.text.push_str(token);
        self.end = end;
    }
}

/// Returns the positions at which a token begins and ends; `None` outside of the compiler.
fn positions(span: Span) -> Option<(Position, Position)> {
    if !proc_macro::is_available() {
        return None;
    }
    let (start, end) = (span.unwrap().start(), span.unwrap().end());
    Some(((start.line(), start.column()), (end.line(), end.column())))
}
