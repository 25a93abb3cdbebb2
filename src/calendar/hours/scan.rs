//! Reads an expression piece by piece and knows where it stands.

use crate::calendar::CalendarError;

/// A place in an expression.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// How much of the offending text an error message shows, in characters.
const SHOWN_CHARS: usize = 20;

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Scan<'a> {
        Scan { text, at: 0 }
    }

    /// Byte offset into the expression, always on a character border.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    /// Steps over spaces; whether there were any.
    pub(super) fn spaces(&mut self) -> bool {
        !self.take_while(|c| c == ' ').is_empty()
    }

    /// Steps over `token`, in any case, if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let head = self.rest().get(..token.len());
        let found = head.is_some_and(|head| head.eq_ignore_ascii_case(token));
        if found {
            self.at += token.len();
        }
        found
    }

    /// The letters that come next, without stepping over them.
    pub(super) fn peek_word(mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphabetic())
    }

    /// Steps over the word that comes next if `read` knows it.
    pub(super) fn word<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let word = self.peek_word();
        let value = read(word)?;
        self.at += word.len();
        Some(value)
    }

    /// How many digits come next.
    pub(super) fn digits(mut self) -> usize {
        self.take_while(|c| c.is_ascii_digit()).len()
    }

    /// Whether a time such as `8:00` comes next.
    pub(super) fn is_at_time(mut self) -> bool {
        let digits = self.take_while(|c| c.is_ascii_digit()).len();
        let colon = self.eat(":");
        (1..=2).contains(&digits) && colon && 0 < self.digits()
    }

    /// Steps over a whole number that lies within `range`; `what` names it in the error.
    pub(super) fn number(
        &mut self,
        range: std::ops::RangeInclusive<u16>,
        what: &str,
    ) -> Result<u16, CalendarError> {
        let start = *self;
        let digits = self.take_while(|c| c.is_ascii_digit());
        match digits.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ if digits.is_empty() => Err(start.expected(what)),
            _ => Err(start.error(format!(
                "{digits} is not {what}: from {} to {}",
                range.start(),
                range.end()
            ))),
        }
    }

    /// Steps over a comma if `follows` says that what stands right behind it goes on with a list.
    pub(super) fn comma(&mut self, follows: impl Fn(Scan<'a>) -> bool) -> bool {
        let mut ahead = *self;
        let goes_on = ahead.eat(",") && follows(ahead);
        if goes_on {
            *self = ahead;
        }
        goes_on
    }

    /// An error at this place.
    pub(super) fn error(&self, message: impl Into<String>) -> CalendarError {
        CalendarError { at: self.at, message: message.into() }
    }

    /// The error that something else should stand at this place.
    pub(super) fn expected(&self, what: &str) -> CalendarError {
        let found = match self.rest() {
            "" => "the end".to_owned(),
            rest => format!("{:?}", rest.chars().take(SHOWN_CHARS).collect::<String>()),
        };
        self.error(format!("expected {what}, found {found}"))
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}
