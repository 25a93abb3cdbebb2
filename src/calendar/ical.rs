//! iCalendar (RFC 5545): from text to components and properties, each with its place in the text.
//!
//! Real files are not clean: a byte order mark, bare line feeds, folds in the middle of a character, lines that
//! were broken without being folded, names in lower case and missing `END` lines are all read for what they
//! mean. Nothing is interpreted here that was not asked for, and no value is dropped: who needs one reads it
//! strictly and gets an error with its place.

mod eras;
mod lines;
mod names;
mod values;
pub mod zones;

pub use values::{Length, PeriodEnd, Stamp, Time, unescape};
pub use zones::Zones;

use super::CalendarError;
use lines::Line;

/// The largest text that is read: 16 MiB.
pub const BYTES_MAX: usize = 16 << 20;
/// Components in one text, of whatever kind.
pub const COMPONENTS_MAX: usize = 200_000;
/// Components inside one another; RFC 5545 needs three.
pub const DEPTH_MAX: usize = 8;

/// A text as it was written.
#[derive(Debug, Default)]
pub struct Document {
    /// The outermost components, `VCALENDAR` in a proper file.
    pub components: Vec<Component>,
    /// Where the first component that has no `END` begins, if the text ends inside of one: half a file.
    pub unfinished_at: Option<usize>,
}

/// What stands between `BEGIN` and `END`.
#[derive(Debug, Default)]
pub struct Component {
    /// In capitals, such as `VEVENT`.
    pub name: String,
    /// Byte offset of its `BEGIN` line.
    pub at: usize,
    pub properties: Vec<Property>,
    pub components: Vec<Component>,
}

/// One content line, unfolded.
#[derive(Debug)]
pub struct Property {
    /// In capitals, such as `DTSTART`.
    pub name: String,
    /// Byte offset of its first line.
    pub at: usize,
    /// Names in capitals; several values of one parameter are joined by commas.
    pub params: Vec<(String, String)>,
    /// As written: commas, backslashes and all.
    pub value: String,
    /// The value without the lines that followed it although they belong to nothing.
    bare: Option<String>,
}

impl Document {
    /// Reads a text. Lines that are no content lines and follow none are passed over.
    ///
    /// # Errors
    /// Only the limits of this module.
    pub fn parse(text: &[u8]) -> Result<Document, CalendarError> {
        if BYTES_MAX < text.len() {
            return Err(error(0, format!("file is larger than {BYTES_MAX} bytes")));
        }
        let mut builder = Builder::default();
        for line in lines::lines(text) {
            builder.take(line)?;
        }
        Ok(builder.finish())
    }
}

impl Component {
    /// The first property of this name (in capitals).
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Every property of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The text of the first property of this name, without its escapes.
    pub fn text(&self, name: &str) -> Option<String> {
        self.property(name).map(Property::text)
    }
}

impl Property {
    /// A parameter by its name in capitals, without quotes.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value as text (RFC 5545, 3.3.11), without its escapes.
    pub fn text(&self) -> String {
        unescape(&self.value)
    }

    /// The value as `read` understands it; a line behind it that belongs to nothing is part of the value if that
    /// makes sense, else not.
    ///
    /// # Errors
    /// That of `read` for the value alone.
    pub fn read<T, E>(&self, read: impl Fn(&str) -> Result<T, E>) -> Result<T, E> {
        let bare = || self.bare.as_deref().and_then(|bare| read(bare.trim()).ok());
        read(self.value.trim()).or_else(|error| bare().ok_or(error))
    }

    /// An error at this property that names it and its value.
    pub fn error(&self, message: impl std::fmt::Display) -> CalendarError {
        error(self.at, format!("{}: {message}", self.name))
    }
}

/// An error at a byte offset.
pub(super) fn error(at: usize, message: impl Into<String>) -> CalendarError {
    CalendarError { at, message: message.into() }
}

/// Puts lines together to components.
#[derive(Default)]
struct Builder {
    done: Vec<Component>,
    open: Vec<Component>,
    count: usize,
}

impl Builder {
    fn take(&mut self, line: Line) -> Result<(), CalendarError> {
        let Line { name, at, params, value, bare } = line;
        let component = bare.as_deref().unwrap_or(&value).trim().to_ascii_uppercase();
        match name.as_str() {
            "BEGIN" => self.begin(component, at),
            "END" => {
                self.end(&component);
                Ok(())
            }
            _ => {
                if let Some(open) = self.open.last_mut() {
                    open.properties.push(Property { name, at, params, value, bare });
                }
                Ok(())
            }
        }
    }

    fn begin(&mut self, name: String, at: usize) -> Result<(), CalendarError> {
        // What cannot stand inside the open components shows that their END is missing.
        match name.as_str() {
            "VCALENDAR" => self.close_to(0),
            "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VTIMEZONE" => {
                self.close_to(self.depth_of("VCALENDAR").unwrap_or(0));
            }
            "STANDARD" | "DAYLIGHT" => {
                if let Some(depth) = self.depth_of("VTIMEZONE") {
                    self.close_to(depth);
                }
            }
            _ => {}
        }
        self.count += 1;
        if COMPONENTS_MAX < self.count {
            return Err(error(at, format!("more than {COMPONENTS_MAX} components")));
        }
        if DEPTH_MAX <= self.open.len() {
            return Err(error(at, format!("components more than {DEPTH_MAX} deep")));
        }
        self.open.push(Component { name, at, ..Component::default() });
        Ok(())
    }

    /// Closes a component and those inside of it; an end of what is not open ends nothing.
    fn end(&mut self, name: &str) {
        if let Some(depth) = self.depth_of(name) {
            self.close_to(depth.saturating_sub(1));
        }
    }

    /// How many components are open up to and with the innermost one of this name.
    fn depth_of(&self, name: &str) -> Option<usize> {
        self.open.iter().rposition(|open| open.name == name).map(|index| index + 1)
    }

    fn close_to(&mut self, depth: usize) {
        while depth < self.open.len() {
            let Some(closed) = self.open.pop() else { return };
            match self.open.last_mut() {
                Some(parent) => parent.components.push(closed),
                None => self.done.push(closed),
            }
        }
    }

    fn finish(mut self) -> Document {
        let unfinished_at = self.open.first().map(|open| open.at);
        self.close_to(0);
        Document { components: self.done, unfinished_at }
    }
}

#[cfg(test)]
mod tests;
