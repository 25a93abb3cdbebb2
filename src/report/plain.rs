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
