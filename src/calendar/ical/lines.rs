//! Content lines (RFC 5545, 3.1): unfolding, and the parts of a line.

/// One content line, unfolded.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// In capitals.
    pub name: String,
    /// Byte offset of its first line in the text.
    pub at: usize,
    pub params: Vec<(String, String)>,
    pub value: String,
    /// The value before the first line that was broken off without being folded.
    pub bare: Option<String>,
}

/// The content lines of a text.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line> {
    let body = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let mut rest = (text.len() - body.len(), body);
    // The line that was begun; what was broken off it may follow.
    let mut begun: Option<Begun> = None;
    std::iter::from_fn(move || {
        while let Some((at, line)) = unfolded(&mut rest) {
            if split(&String::from_utf8_lossy(&line)).is_some() {
                let complete = begun.replace(Begun { at, bytes: line, bare_bytes: None });
                if let Some(complete) = complete {
                    return Some(complete.finish());
                }
            } else if let Some(begun) = begun.as_mut().filter(|_| !line.trim_ascii().is_empty()) {
                // Neither folded nor a line of its own: broken off, or junk.
                begun.bare_bytes.get_or_insert(begun.bytes.len());
                begun.bytes.extend_from_slice(&line);
            }
        }
        begun.take().map(Begun::finish)
    })
}

/// The next line with all that is folded onto it, and its byte offset.
fn unfolded(rest: &mut (usize, &[u8])) -> Option<(usize, Vec<u8>)> {
    let (start, _) = *rest;
    let mut bytes: Option<Vec<u8>> = None;
    loop {
        let (at, text) = *rest;
        let end = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let (line, after) = text.split_at_checked(end).unwrap_or((text, b""));
        match (&mut bytes, line) {
            (_, []) => return bytes.map(|bytes| (start, bytes)),
            (Some(bytes), [b' ' | b'\t', folded @ ..]) => {
                bytes.extend_from_slice(without_break(folded));
            }
            (Some(_), _) => return bytes.map(|bytes| (start, bytes)),
            (None, _) => bytes = Some(without_break(line).to_vec()),
        }
        *rest = (at + end, after);
    }
}

fn without_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

struct Begun {
    at: usize,
    bytes: Vec<u8>,
    bare_bytes: Option<usize>,
}

impl Begun {
    fn finish(self) -> Line {
        // Only now: a fold may have cut a character in two.
        let whole = String::from_utf8_lossy(&self.bytes);
        let bare = self.bare_bytes.and_then(|end| self.bytes.get(..end));
        let bare = bare.map(String::from_utf8_lossy);
        let value = |text: &str| split(text).map(|(_, _, value)| value.to_owned());
        let bare = bare.and_then(|bare| value(&bare));
        let (name, params, value) = split(&whole).unwrap_or_default();
        let params = params.into_iter().map(|(name, value)| (name.to_ascii_uppercase(), value));
        Line {
            name: name.trim().to_ascii_uppercase(),
            at: self.at,
            params: params.collect(),
            value: value.to_owned(),
            bare,
        }
    }
}

/// Name, parameters and value; `None`: no content line.
#[allow(clippy::type_complexity)]
fn split(line: &str) -> Option<(&str, Vec<(&str, String)>, &str)> {
    let (name, mut rest) = line.split_at_checked(line.find([':', ';'])?)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || !name.trim_end().chars().all(is_name) {
        return None;
    }
    let mut params = vec![];
    while let Some(after) = rest.strip_prefix(';') {
        let (key, after) = after.split_at_checked(after.find(['=', ':', ';'])?)?;
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => param_value(after)?,
            None => (String::new(), after),
        };
        params.push((key.trim(), value));
        rest = after;
    }
    Some((name, params, rest.strip_prefix(':')?))
}

/// The value of a parameter up to the `;` or `:` that ends it, without quotes (RFC 5545, 3.2, and RFC 6868).
fn param_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    // Outlook's `(UTC+01:00) Berlin` has a colon, and some write it without the quotes that it then needs.
    let bracketed = offset_in_brackets(text);
    while let Some((at, c)) = chars.next() {
        match c {
            c if at < bracketed => value.push(c),
            '"' => quoted = !quoted,
            ':' | ';' if !quoted => return Some((value, text.get(at..)?)),
            '^' => match chars.peek().map(|(_, c)| *c) {
                Some(next @ ('n' | '^' | '\'')) => {
                    value.push(match next {
                        'n' => '\n',
                        '^' => '^',
                        _ => '"',
                    });
                    chars.next();
                }
                _ => value.push('^'),
            },
            c => value.push(c),
        }
    }
    None
}

/// How many bytes an offset in brackets takes at the beginning.
fn offset_in_brackets(text: &str) -> usize {
    let is_offset = |text: &str| {
        let begins =
            |word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
        let rest = |c: char| c.is_ascii_digit() || "+-:. ".contains(c);
        (begins("UTC") || begins("GMT")) && text.get(3..).is_some_and(|t| t.chars().all(rest))
    };
    let inner = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    inner.filter(|(inner, _)| is_offset(inner)).map_or(0, |(inner, _)| inner.len() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `NAME[param=value] value`, with what is left without broken-off lines behind a bar.
    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let shown = |line: Line| {
            let params: Vec<_> = line.params.iter().map(|(k, v)| format!("[{k}={v}]")).collect();
            let bare = line.bare.map(|bare| format!(" | {bare}")).unwrap_or_default();
            format!("{} {}{} {}{bare}", line.at, line.name, params.join(""), line.value)
        };
        assert_eq!(lines(text.as_bytes()).map(shown).collect::<Vec<_>>(), want, "{text:?}");
    }

    #[test]
    fn lines_in_every_state_of_repair() {
        check("", &[]);
        check("A:1\r\nB:2\r\n", &["0 A 1", "5 B 2"]);
        check("A:1\nB:2", &["0 A 1", "4 B 2"]);
        check("A:1\r\r\nB:2\r\r\n", &["0 A 1", "6 B 2"]);
        check("\u{feff}A:1", &["3 A 1"]);
        check("a:1\r\n 2\r\n\t3\r\n", &["0 A 123"]);
        check("A:1\r\n  2\r\n", &["0 A 1 2"]);
        check("A:1\r\n \r\nB:2", &["0 A 1", "8 B 2"]);
        check("A:1\r\n\r\nB:2", &["0 A 1", "7 B 2"]);
        check("A:\r\nB:x:y;z", &["0 A ", "4 B x:y;z"]);
        check("A:1\nbroken off\nB:2", &["0 A 1broken off | 1", "15 B 2"]);
        check("A:1\nx\n y\nz", &["0 A 1xyz | 1"]);
        check("junk\n folded junk\nA:1", &["18 A 1"]);
        check(" folded onto nothing\nA:1", &["21 A 1"]);
        check("no name\n:1\n=:\né:1\nA:1", &["19 A 1"]);
    }

    #[test]
    fn parameters_with_quotes_lists_and_carets() {
        check("A;b=c:1", &["0 A[B=c] 1"]);
        check("A;B=\"c:d;e,f\":1", &["0 A[B=c:d;e,f] 1"]);
        check("A;B=c,d;E=f:1:2", &["0 A[B=c,d][E=f] 1:2"]);
        check("A;B=\"c\",\"d\":1", &["0 A[B=c,d] 1"]);
        check("A;B:1", &["0 A[B=] 1"]);
        check("A;B=^nx^^y^'z^q:1", &["0 A[B=\nx^y\"z^q] 1"]);
        // Folded before the value, and inside of a quoted one.
        check("A;B=\"c\n  d\"\n :1", &["0 A[B=c d] 1"]);
        check("A;B=c\n ;D=e:1", &["0 A[B=c][D=e] 1"]);
        check("A;B=\"c:1\nD:2", &["9 D 2"]);
        // An offset in brackets has a colon, quoted or not; other brackets mean nothing.
        check("A;B=(UTC+01:00) Bern, Rome:1", &["0 A[B=(UTC+01:00) Bern, Rome] 1"]);
        check("A;B=(gmt -05:00);C=d:1", &["0 A[B=(gmt -05:00)][C=d] 1"]);
        check("A;B=(NOC:1)", &["0 A[B=(NOC] 1)"]);
    }

    #[test]
    fn a_fold_may_cut_a_character() {
        let text = [b"A:caf\xc3".as_slice(), b"\r\n \xa9\r\n", b"B:\xff"].concat();
        let values: Vec<String> = lines(&text).map(|line| line.value).collect();
        assert_eq!(values, ["café", "\u{fffd}"]);
    }
}
