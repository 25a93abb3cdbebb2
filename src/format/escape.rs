//! Backslash escapes inside quoted text: those of JSON (RFC 8259) and of Go (`strconv.Quote`).

use std::borrow::Cow;

/// Decodes `\n \t \r \b \f \a \v \0`, `\xNN`, `\uNNNN` (surrogate pairs too) and `\UNNNNNNNN`; before any
/// other character the backslash is dropped. What is no character becomes U+FFFD.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    // Bytes, because Go writes a character that is not UTF-8 as several \x escapes.
    let mut text: Vec<u8> = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.extend_from_slice(before.as_bytes());
        rest = escape(after, &mut text);
    }
    text.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&text).into_owned())
}

/// Decodes the escape behind a backslash into `text` and returns what follows.
fn escape<'r>(after: &'r str, text: &mut Vec<u8>) -> &'r str {
    let mut chars = after.chars();
    let Some(letter) = chars.next() else { return after };
    let rest = chars.as_str();
    let simple = match letter {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        'b' => 0x08,
        'f' => 0x0c,
        'a' => 0x07,
        'v' => 0x0b,
        '0' => 0,
        'x' => match hex(rest, 2) {
            Some((value, rest)) => {
                text.push(u8::try_from(value).unwrap_or(b'?'));
                return rest;
            }
            None => b'x',
        },
        'u' | 'U' => {
            let (value, rest) = code_point(letter, rest);
            push(value, text);
            return rest;
        }
        other => {
            push(Some(other), text);
            return rest;
        }
    };
    text.push(simple);
    rest
}

fn push(value: Option<char>, text: &mut Vec<u8>) {
    let value = value.unwrap_or(char::REPLACEMENT_CHARACTER);
    text.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
}

fn code_point(letter: char, rest: &str) -> (Option<char>, &str) {
    let digits = if letter == 'u' { 4 } else { 8 };
    let Some((first, after)) = hex(rest, digits) else { return (None, rest) };
    if !(0xd800..=0xdbff).contains(&first) {
        return (char::from_u32(first), after);
    }
    let second = after.strip_prefix("\\u").and_then(|low| hex(low, 4));
    match second {
        Some((low, after)) if (0xdc00..=0xdfff).contains(&low) => {
            (char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)), after)
        }
        _ => (None, after),
    }
}

fn hex(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let all = number.bytes().all(|b| b.is_ascii_hexdigit());
    Some((all.then(|| u32::from_str_radix(number, 16).ok())??, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded() {
        for (raw, want) in [
            ("plain", "plain"),
            (r#"say \"hi\""#, "say \"hi\""),
            (r"a\\b\/c", r"a\b/c"),
            (r"\n\t\r\b\f\a\v\0", "\n\t\r\u{8}\u{c}\u{7}\u{b}\0"),
            (r"\u00fcber", "über"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00!", "\u{fffd}!"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\U0001F600", "😀"),
            (r"\xc3\xbc", "ü"),
            (r"\xff", "\u{fffd}"),
            (r"\xzz", "xzz"),
            (r"\u12", "\u{fffd}12"),
            (r"\u+123", "\u{fffd}+123"),
            (r"\", ""),
            (r"\ü", "ü"),
        ] {
            assert_eq!(unescape(raw), want, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_back(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescape(&written[1..written.len() - 1]), text);
        }

        #[test]
        fn nothing_panics(raw in r#"[\\uxUn0-9a-fdD"ü]{0,20}"#) {
            unescape(&raw);
        }
    }
}
