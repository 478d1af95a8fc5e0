//! The page that a person sees in place of the one that they opened.

use std::fmt::{self, Write as _};

/// Makes a page that needs nothing but itself: no script, no other resource.
pub(crate) fn page(title: &str, detail: &str) -> String {
    let (title, detail) = (Text(title), Text(detail));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>body {{ max-width: 36rem; margin: 15vh auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n<p>{detail}</p>\n</body>\n</html>\n"
    )
}

/// Text as HTML.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_texts_and_nothing_that_they_contain_counts_as_html() {
        let page = page("Forbidden", r#"<script src='//evil'>"&lt;"</script>"#);
        assert!(page.contains("<h1>Forbidden</h1>"), "{page}");
        assert!(page.contains("&lt;script src=&#39;//evil&#39;&gt;&quot;&amp;lt;&quot;&lt;/script&gt;"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn a_page_needs_no_other_resource_and_works_in_light_and_dark() {
        let page = page("Conflict", "Please try again.");
        for foreign in ["http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link"] {
            assert!(!page.contains(foreign), "{foreign}: {page}");
        }
        assert!(page.contains(r#"<meta name="color-scheme" content="light dark">"#), "{page}");
    }
}
