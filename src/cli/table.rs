//! Tables on the terminal: aligned columns, and no text in them that could act on the terminal.

use anstyle::Style;
use comfy_table::{Cell, CellAlignment, ContentArrangement, TableStyle, presets};
use std::io;

pub use crate::report::plain::{clean, is_unshown};

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

impl From<Align> for CellAlignment {
    fn from(align: Align) -> CellAlignment {
        match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        }
    }
}

/// A table without lines; every cell is cleaned as by [`clean`] and stays on one line.
#[derive(Debug)]
pub struct Table {
    columns: Vec<CellAlignment>,
    inner: comfy_table::Table,
    /// The style of each line, the heading's first.
    styles: Vec<Style>,
}

impl Table {
    /// A table with these headings, in bold.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        let mut table = Table {
            columns: columns.iter().map(|(_, align)| (*align).into()).collect(),
            inner: comfy_table::Table::new(),
            styles: vec![Style::new().bold()],
        };
        table.inner.load_style(PLAIN);
        // Lines are for the terminal to wrap: a pipe has no width, and its reader wants whole cells.
        table.inner.set_content_arrangement(ContentArrangement::Disabled);
        let headings = table.cells(columns.iter().map(|(heading, _)| *heading));
        table.inner.set_header(headings);
        for column in table.inner.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        table
    }

    /// Adds a row; what is missing on the right is empty, what is too much is dropped. An empty cell with others behind
    /// it is [`NOTHING`], so that a script can count on its columns.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.styled_row(Style::new(), cells);
    }

    /// Adds a row that is set off from the others, where the output shows styles.
    pub fn styled_row<T: AsRef<str>>(&mut self, style: Style, cells: impl IntoIterator<Item = T>) {
        let mut texts: Vec<T> = cells.into_iter().take(self.columns.len()).collect();
        while texts.pop_if(|text| text.as_ref().is_empty()).is_some() {}
        let text = |text: &T| match text.as_ref() {
            "" => NOTHING.to_owned(),
            text => text.to_owned(),
        };
        let cells = self.cells(texts.iter().map(text));
        self.inner.add_row(cells);
        self.styles.push(style);
    }

    /// Writes the table with its styles. Hand in [`anstream::stdout`] to have them only on a
    /// terminal.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        for (line, style) in self.inner.lines().zip(&self.styles) {
            writeln!(out, "{style}{}{style:#}", line.trim_end())?;
        }
        Ok(())
    }

    fn cells<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> Vec<Cell> {
        let cell = |(text, align): (T, &CellAlignment)| {
            Cell::new(clean(text.as_ref())).set_alignment(*align)
        };
        texts.into_iter().zip(&self.columns).map(cell).collect()
    }
}

/// Stands in an empty cell.
const NOTHING: &str = "-";

/// Spaces between two columns.
const GAP: u16 = 2;

/// No borders.
const PLAIN: TableStyle = presets::NOTHING;

#[cfg(test)]
mod tests {
    use super::*;
    use anstyle::AnsiColor;
    use proptest::prelude::*;
    use std::borrow::Cow;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        for (text, want) in [
            ("", ""),
            ("archive-compaction", "archive-compaction"),
            ("Größe 大 🙂 a\\u{1b}", "Größe 大 🙂 a\\u{1b}"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\r\nb\tc\u{0}\u{7f}", "a\\u{d}\\u{a}b\\u{9}c\\u{0}\\u{7f}"),
            ("x\u{202e}y\u{202c}", "x\\u{202e}y\\u{202c}"),
            ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            ("\u{61c}\u{200e}\u{200f}", "\\u{61c}\\u{200e}\\u{200f}"),
            ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
            ("a\u{200d}b", "a\u{200d}b"),
        ] {
            assert_eq!(clean(text), want, "{text:?}");
        }
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    fn table() -> Table {
        let mut table =
            Table::new(&[("run", Align::Left), ("seconds", Align::Right), ("by", Align::Left)]);
        table.row(["atlas-17", "5", "b"]);
        let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
        table.styled_row(red, ["a\u{1b}[2J\n", "12345678"]);
        table.row(["", "大", "x", "too much"]);
        table.row(["", "", "y"]);
        table.row(["b", "", ""]);
        table.row(["", ""]);
        table
    }

    fn check(table: &Table, choice: anstream::ColorChoice, want: &str) {
        let mut out = anstream::AutoStream::new(Vec::new(), choice);
        table.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out.into_inner()).unwrap(), want);
    }

    #[test]
    fn columns_are_aligned_and_cells_are_clean() {
        let want = concat!(
            "run               seconds  by\n",
            "atlas-17                5  b\n",
            "a\\u{1b}[2J\\u{a}  12345678\n",
            "-                      大  x\n",
            "-                       -  y\n",
            "b\n",
            "\n",
        );
        check(&table(), anstream::ColorChoice::Never, want);
    }

    #[test]
    fn styles_are_written_only_where_they_are_shown() {
        let want = concat!(
            "\u{1b}[1mrun               seconds  by\u{1b}[0m\n",
            "atlas-17                5  b\n",
            "\u{1b}[31ma\\u{1b}[2J\\u{a}  12345678\u{1b}[0m\n",
            "-                      大  x\n",
            "-                       -  y\n",
            "b\n",
            "\n",
        );
        check(&table(), anstream::ColorChoice::AlwaysAnsi, want);
    }

    #[test]
    fn an_empty_table_is_its_heading() {
        check(&Table::new(&[("a", Align::Left)]), anstream::ColorChoice::Never, "a\n");
        check(&Table::new(&[]), anstream::ColorChoice::Never, "");
    }

    proptest! {
        #[test]
        fn nothing_unshown_is_left(text in any::<String>()) {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.contains(is_unshown));
            prop_assert_eq!(clean(&cleaned), cleaned.as_ref());
        }

        #[test]
        fn a_row_is_a_line(cells in proptest::collection::vec(any::<String>(), 0..5)) {
            let mut table = Table::new(&[("a", Align::Left), ("b", Align::Right)]);
            table.row(&cells);
            let mut out = Vec::new();
            table.write(&mut anstream::StripStream::new(&mut out)).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
        }
    }
}
