//! The encoding of a file: what its source says, what its bytes show, and lines as UTF-8.

use std::borrow::Cow;

use super::reading::{Reason, Rejection};
use crate::event::words;

words! {
    /// What a source says of the encoding of its files.
    Encoding {
        /// A byte order mark decides; without one it is UTF-8.
        Auto = "auto",
        Utf8 = "utf-8",
        Utf16Le = "utf-16le",
        Utf16Be = "utf-16be",
        Windows1252 = "windows-1252",
        Latin1 = "latin-1",
    }
}

/// How many bytes from the start of a file tell its encoding.
pub const TELLING_BYTES: usize = 1024;

/// How the bytes of one file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileEncoding {
    /// Never [`Encoding::Auto`].
    charset: Encoding,
    /// What was told, if the file is of another encoding: then no line of it can be read.
    contradicts: Option<Encoding>,
}

impl Default for FileEncoding {
    fn default() -> FileEncoding {
        FileEncoding { charset: Encoding::Utf8, contradicts: None }
    }
}

/// What stands in a block of lines.
#[derive(Debug)]
pub enum Part<'b> {
    /// Lines as UTF-8. All have their own offsets in the file, or it is only one.
    Text(Cow<'b, [u8]>),
    /// A line of another encoding, as it stands there.
    Bad(&'b [u8], Rejection),
}

/// What the last telling line of a block says of the encoding of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Nothing,
    /// A line that only this encoding explains.
    Right,
    /// A line that is none of it.
    Wrong,
}

impl FileEncoding {
    /// The encoding of a file that begins with `head` and of which `told` was said. `grows`: what follows is not
    /// known yet, and may belong to the last character.
    pub fn of(told: Encoding, head: &[u8], grows: bool) -> FileEncoding {
        let head = head.get(..TELLING_BYTES).unwrap_or(head);
        let shown = mark(head).or_else(|| wide_without_mark(head));
        let (charset, is_told) = match (told, shown) {
            (Encoding::Auto, shown) if mark(head).is_some() => (shown, true),
            // Whoever writes no mark has to tell.
            (Encoding::Auto, Some(wide)) => (Some(wide), false),
            (Encoding::Auto, None) => (Some(Encoding::Utf8), true),
            (told, Some(shown)) => (Some(shown), shown == told),
            (told, None) if wide_newline(told).is_some() && is_of_bytes(head, grows) => {
                (Some(Encoding::Utf8), false)
            }
            (told, None) => (Some(told), true),
        };
        let charset = charset.unwrap_or(Encoding::Utf8);
        FileEncoding { charset, contradicts: (!is_told).then_some(told) }
    }

    /// Where the first line ends, behind its `\n`.
    pub fn first_end(self, bytes: &[u8]) -> Option<usize> {
        let at = match wide_newline(self.charset) {
            None => memchr::memchr(b'\n', bytes),
            Some(newline) => bytes.chunks_exact(2).position(|unit| unit == newline),
        };
        at.map(|at| (at + 1) * self.width())
    }

    /// Where the last whole line ends, behind its `\n`.
    pub fn last_end(self, bytes: &[u8]) -> Option<usize> {
        let at = match wide_newline(self.charset) {
            None => memchr::memrchr(b'\n', bytes),
            Some(newline) => bytes.chunks_exact(2).rposition(|unit| unit == newline),
        };
        at.map(|at| (at + 1) * self.width())
    }

    /// Where in whole lines one begins with a NUL.
    pub fn nul_line(self, lines: &[u8]) -> Option<usize> {
        let Some([high, low]) = wide_newline(self.charset) else {
            return memchr::memmem::find(lines, b"\n\0").map(|at| at + 1);
        };
        let is_one = |units: &[u8]| units == [high, low, 0, 0];
        let at = lines.windows(4).step_by(2).position(is_one)?;
        Some(2 * at + 2)
    }

    /// How many bytes the smallest character has.
    pub fn width(self) -> usize {
        if wide_newline(self.charset).is_some() { 2 } else { 1 }
    }

    /// The parts of a block of whole lines, each with its offset there.
    pub fn parts<'b>(self, block: &'b [u8], take: &mut dyn FnMut(usize, Part<'b>)) -> Told {
        if self.is_plain(block) {
            take(0, Part::Text(Cow::Borrowed(block)));
            return if block.is_ascii() { Told::Nothing } else { Told::Right };
        }
        let mut told = Told::Nothing;
        let (mut at, mut fine_from) = (0, 0);
        while at < block.len() {
            let rest = block.get(at..).unwrap_or_default();
            let end = self.first_end(rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            let text = self.text(line);
            let is_borrowed = matches!(text, Ok(Cow::Borrowed(_)));
            if !is_borrowed && fine_from < at {
                let fine = block.get(fine_from..at).unwrap_or_default();
                take(fine_from, Part::Text(Cow::Borrowed(fine)));
            }
            match text {
                // Goes with the lines around it.
                Ok(Cow::Borrowed(text)) if text.is_ascii() => {}
                Ok(Cow::Borrowed(_)) => told = Told::Right,
                Ok(Cow::Owned(text)) => {
                    told = Told::Right;
                    take(at, Part::Text(Cow::Owned(text)));
                }
                Err(rejection) => {
                    told = Told::Wrong;
                    take(at, Part::Bad(line, rejection));
                }
            }
            at += end.max(1);
            if !is_borrowed {
                fine_from = at;
            }
        }
        if fine_from < block.len() {
            let fine = block.get(fine_from..).unwrap_or_default();
            take(fine_from, Part::Text(Cow::Borrowed(fine)));
        }
        told
    }

    /// Whether all of it can be taken as it stands: the usual case, which costs little.
    fn is_plain(self, block: &[u8]) -> bool {
        let is_text = match self.charset {
            Encoding::Utf8 => std::str::from_utf8(block).is_ok(),
            Encoding::Windows1252 | Encoding::Latin1 => block.is_ascii(),
            _ => false,
        };
        is_text && self.contradicts.is_none() && memchr::memchr(0, block).is_none()
    }

    /// Lines as UTF-8, what is none of this encoding replaced.
    pub fn lossy(self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len());
        let as_it_is = FileEncoding { contradicts: None, ..self };
        as_it_is.parts(bytes, &mut |_, part| match part {
            Part::Text(lines) => text.extend_from_slice(&lines),
            Part::Bad(line, _) => text.extend_from_slice(String::from_utf8_lossy(line).as_bytes()),
        });
        text
    }

    /// A line as UTF-8.
    ///
    /// # Errors
    /// `encoding`: it is none of this encoding.
    pub fn text(self, line: &[u8]) -> Result<Cow<'_, [u8]>, Rejection> {
        let name = self.charset.as_str();
        if let Some(told) = self.contradicts {
            let detail = format!("the file is written in {name}, the source says encoding {told}");
            return Err(Rejection::new(Reason::Encoding, detail));
        }
        if self.width() == 1 && is_mostly_nul(line) {
            let detail =
                format!("the line has a NUL at every second byte, as UTF-16 has: no {name}");
            return Err(Rejection::new(Reason::Encoding, detail));
        }
        let bad = |at: usize| {
            let found = line.get(at..line.len().min(at + 2)).unwrap_or_default();
            let found: Vec<String> = found.iter().map(|byte| format!("{byte:02x}")).collect();
            let detail = format!("the bytes {} are no {name}", found.join(" "));
            Rejection::new(Reason::Encoding, detail).at(at)
        };
        let wide = |unit| match wide(line, unit) {
            Ok(text) if is_mostly_nul(&text) => {
                let detail =
                    format!("the line has a NUL beside each letter, as UTF-32 has: no {name}");
                Err(Rejection::new(Reason::Encoding, detail))
            }
            text => text.map_err(bad),
        };
        match self.charset {
            Encoding::Utf16Le => wide(u16::from_le_bytes as fn([u8; 2]) -> u16),
            Encoding::Utf16Be => wide(u16::from_be_bytes),
            Encoding::Windows1252 => narrow(line, windows_1252).map_err(bad),
            Encoding::Latin1 => narrow(line, |byte| Some(char::from(byte))).map_err(bad),
            Encoding::Auto | Encoding::Utf8 => match std::str::from_utf8(line) {
                Ok(_) => Ok(Cow::Borrowed(line)),
                Err(error) => Err(bad(error.valid_up_to())),
            },
        }
    }
}

/// The encoding that a byte order mark tells.
fn mark(head: &[u8]) -> Option<Encoding> {
    match head {
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        _ => None,
    }
}

/// UTF-16 that begins without a mark, by the NULs of its first two characters.
fn wide_without_mark(head: &[u8]) -> Option<Encoding> {
    match head {
        [1..=255, 0, 1..=255, 0, ..] => Some(Encoding::Utf16Le),
        [0, 1..=255, 0, 1..=255, ..] => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Whether a file begins with a line that is no UTF-16, whose line ends have a NUL.
fn is_of_bytes(head: &[u8], grows: bool) -> bool {
    let known = head.len().saturating_sub(usize::from(grows));
    let has_line = memchr::memchr(b'\n', head.get(..known).unwrap_or_default()).is_some();
    has_line && memchr::memchr(0, head).is_none()
}

fn wide_newline(charset: Encoding) -> Option<[u8; 2]> {
    match charset {
        Encoding::Utf16Le => Some([b'\n', 0]),
        Encoding::Utf16Be => Some([0, b'\n']),
        _ => None,
    }
}

/// Whether a line has about as many NULs as letters. A few at its start were left by a file that was cut off.
fn is_mostly_nul(line: &[u8]) -> bool {
    let start = line.iter().take_while(|byte| **byte == 0).count();
    let body = line.get(start..).unwrap_or_default();
    let nuls = memchr::memchr_iter(0, body).count();
    0 < nuls && body.len() <= 3 * nuls
}

fn wide(line: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, [u8]>, usize> {
    let (pairs, rest) = line.as_chunks::<2>();
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let c = c.map_err(|_| at)?;
        text.push(c);
        at += 2 * c.len_utf16();
    }
    if rest.is_empty() { Ok(Cow::Owned(text.into_bytes())) } else { Err(at) }
}

fn narrow(line: &[u8], of: impl Fn(u8) -> Option<char>) -> Result<Cow<'_, [u8]>, usize> {
    if line.is_ascii() {
        return Ok(Cow::Borrowed(line));
    }
    let mut text = String::with_capacity(2 * line.len());
    for (at, byte) in line.iter().enumerate() {
        text.push(of(*byte).ok_or(at)?);
    }
    Ok(Cow::Owned(text.into_bytes()))
}

/// Windows-1252: Latin-1 but for these 32, of which five mean nothing (WHATWG reads them as controls).
fn windows_1252(byte: u8) -> Option<char> {
    const FROM_80: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte.checked_sub(0x80).and_then(|at| FROM_80.get(usize::from(at))) {
        Some('\0') => None,
        Some(c) => Some(*c),
        None => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests;
