//! Text from elsewhere, made harmless for whoever reads it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything written as `\u{..}` that a terminal would obey rather than show: control
/// characters and with them every escape sequence, line and paragraph separators, and the BiDi
/// controls, which show a line in another order than it was written.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unshown) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unshown(c) {
            // Writing to a string does not fail.
            let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(c));
        } else {
            cleaned.push(c);
        }
    }
    Cow::Owned(cleaned)
}

/// Control characters (C0, DEL, C1), separators, and the BiDi controls of UAX #9.
pub fn is_unshown(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// The text as Markdown shows it letter by letter, also in a cell of a table: cleaned, and with every character
/// that could be markup, or HTML within it, escaped.
pub fn markdown(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len() + 8);
    if text.starts_with(['-', '+', '=']) {
        // At the start of a line it would make a list or a heading.
        out.push('\\');
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The text as HTML shows it letter by letter, between tags and in a quoted attribute.
pub fn html(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_only_ever_text() {
        for (text, in_markdown, in_html) in [
            ("plain-text.1", "plain-text.1", "plain-text.1"),
            ("- a", "\\- a", "- a"),
            ("a|b", "a\\|b", "a|b"),
            (
                "<script>x&y</script>",
                "&lt;script&gt;x&amp;y&lt;/script&gt;",
                "&lt;script&gt;x&amp;y&lt;/script&gt;",
            ),
            ("[a](b) *c* _d_ `e`", "\\[a\\](b) \\*c\\* \\_d\\_ \\`e\\`", "[a](b) *c* _d_ `e`"),
            ("\"'", "\"'", "&quot;&#39;"),
            ("a\nb\u{1b}", "a\\\\u{a}b\\\\u{1b}", "a\\u{a}b\\u{1b}"),
        ] {
            assert_eq!(markdown(text), in_markdown);
            assert_eq!(html(text), in_html);
        }
    }
}
