//! Patterns for paths: `*`, `?`, `[a-z]`, `[!a-z]`, and `**` for any number of directories.
//!
//! As in a shell, a wildcard does not match a dot at the start of a name, and a bracket that is not
//! closed stands for itself. Names are bytes; `?` and `[..]` take one UTF-8 character.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An absolute pattern, cut at its slashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// As it was written.
    pub(super) text: Arc<str>,
    pub(super) components: Vec<Component>,
}

/// One part of a pattern, between two slashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Component {
    /// A name without wildcards.
    Name(OsString),
    /// A name with wildcards.
    Wild(Wild),
    /// `**`: no directory, one, or several in each other.
    Deep,
}

/// A name with wildcards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wild(Vec<Token>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Char(char),
    One,
    Many,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// A pattern that says nothing about where to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError(pub String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an absolute path or pattern that ends in a file name", self.0)
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It does not begin with `/`, or its last component cannot be a file.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let error = || PatternError(text.into());
        let relative = text.strip_prefix('/').ok_or_else(error)?;
        let names = relative.split('/').filter(|name| !name.is_empty() && *name != ".");
        let components: Vec<Component> = names.map(component).collect();
        let names_a_file = !relative.ends_with('/')
            && !matches!(components.last(), None | Some(Component::Deep))
            && !components.contains(&Component::Name("..".into()));
        if names_a_file { Ok(Pattern { text: text.into(), components }) } else { Err(error()) }
    }

    /// Whether an absolute path matches, without a look at any directory.
    pub fn fits(&self, path: &Path) -> bool {
        let names: Vec<&OsStr> = path.iter().skip(1).collect();
        fits(&self.components, &names)
    }

    /// The directory below which everything lies that a pattern with wildcards matches; `None` without any.
    pub(super) fn root(&self) -> Option<PathBuf> {
        let is_name = |c: &&Component| matches!(c, Component::Name(_));
        let fixed = self.components.iter().take_while(is_name);
        if fixed.clone().count() == self.components.len() {
            return None;
        }
        let names = fixed.filter_map(|c| match c {
            Component::Name(name) => Some(name),
            Component::Wild(_) | Component::Deep => None,
        });
        Some(names.fold(PathBuf::from("/"), |root, name| root.join(name)))
    }

    /// Whether the name of a file matches the last component, wherever the file is.
    pub fn fits_name(&self, name: &OsStr) -> bool {
        self.components.last().is_some_and(|last| last.fits(name))
    }
}

impl Component {
    fn fits(&self, name: &OsStr) -> bool {
        match self {
            Component::Name(own) => own == name,
            Component::Wild(wild) => wild.matches(name.as_bytes()),
            Component::Deep => true,
        }
    }
}

/// A `**` may stand for any number of names; paths are short, so trying them all is cheap enough.
fn fits(components: &[Component], names: &[&OsStr]) -> bool {
    match (components.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Component::Deep, after)), _) => {
            (0..=names.len()).any(|n| names.get(n..).is_some_and(|rest| fits(after, rest)))
        }
        (Some((component, after)), Some((name, rest))) => component.fits(name) && fits(after, rest),
        _ => false,
    }
}

fn component(name: &str) -> Component {
    if name == "**" {
        return Component::Deep;
    }
    let mut tokens = Vec::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '[' => match class(rest) {
                Some((token, after)) => {
                    rest = after;
                    token
                }
                None => Token::Char('['),
            },
            c => Token::Char(c),
        });
    }
    if tokens.iter().all(|token| matches!(token, Token::Char(_))) {
        Component::Name(OsString::from_vec(name.into()))
    } else {
        Component::Wild(Wild(tokens))
    }
}

/// Reads a class after its `[`; `None` if no `]` closes it. A `]` in the first place is a member.
fn class(text: &str) -> Option<(Token, &str)> {
    let (negated, mut rest) = match text.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        let low = rest.chars().next()?;
        rest = rest.get(low.len_utf8()..)?;
        if low == ']' && !ranges.is_empty() {
            return Some((Token::Class { negated, ranges }, rest));
        }
        let range = rest.strip_prefix('-').and_then(|after| {
            let high = after.chars().next().filter(|c| *c != ']')?;
            Some((high, after.get(high.len_utf8()..)?))
        });
        match range {
            Some((high, after)) => {
                ranges.push((low, high));
                rest = after;
            }
            None => ranges.push((low, low)),
        }
    }
}

impl Wild {
    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let names_a_dot = matches!(self.0.first(), Some(Token::Char('.')));
        (names_a_dot || !name.starts_with(b".")) && matches(&self.0, name)
    }
}

/// Every `*` but the last is left behind for good once the tokens up to the next one have matched,
/// so the work is bounded by the product of the two lengths.
fn matches(tokens: &[Token], name: &[u8]) -> bool {
    let (mut tokens, mut name) = (tokens, name);
    let mut retry: Option<(&[Token], &[u8])> = None;
    loop {
        match tokens.split_first() {
            Some((Token::Many, after)) => {
                retry = Some((after, name));
                tokens = after;
                continue;
            }
            Some((token, after)) => {
                if let Some((c, rest)) = next_char(name)
                    && token.takes(c)
                {
                    (tokens, name) = (after, rest);
                    continue;
                }
            }
            None if name.is_empty() => return true,
            None => {}
        }
        // Let the last `*` take one character more.
        let Some((after, (_, longer))) = retry.and_then(|(t, n)| Some((t, next_char(n)?))) else {
            return false;
        };
        retry = Some((after, longer));
        (tokens, name) = (after, longer);
    }
}

impl Token {
    /// Whether this one character matches; `None` stands for a byte that is not UTF-8.
    fn takes(&self, c: Option<char>) -> bool {
        match self {
            Token::Char(want) => c == Some(*want),
            Token::One | Token::Many => true,
            Token::Class { negated, ranges } => {
                let inside =
                    c.is_some_and(|c| ranges.iter().any(|(low, high)| *low <= c && c <= *high));
                inside != *negated
            }
        }
    }
}

/// The first character of a name, or `None` for a byte that is not UTF-8, and the rest.
fn next_char(name: &[u8]) -> Option<(Option<char>, &[u8])> {
    let chunk = name.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(c) => Some((Some(c), name.get(c.len_utf8()..)?)),
        None => Some((None, name.get(1..)?)),
    }
}

#[cfg(test)]
mod tests;
