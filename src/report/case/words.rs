//! A case as plain text for a terminal and as Markdown for a ticket.

use super::{CaseFile, Row, Section, Source};
use crate::report::plain::{clean, markdown};

/// Labels wider than this are not waited for by the other texts of their section.
const LABEL_COLUMNS: usize = 24;

impl CaseFile {
    /// Lines for a terminal.
    pub fn text(&self) -> String {
        let mut text =
            format!("{}: {}\n{}\n", clean(&self.title), self.judged(), clean(&self.summary));
        text += &format!("Times are those of {}.\n", self.zone);
        for section in &self.sections {
            text += &format!("\n{}\n", section.title);
            if !section.note.is_empty() {
                text += &format!("  {}\n", clean(&section.note));
            }
            section.rows.iter().for_each(|row| text += &line_of(row, section));
        }
        text
    }

    /// Markdown (CommonMark with tables), ready to be pasted; nothing from a log is markup in it.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# {}: {}\n\n{}\n\nTimes are those of {}.\n",
            markdown(&self.title),
            self.judged(),
            markdown(&self.summary),
            markdown(&self.zone),
        );
        for section in &self.sections {
            text += &format!("\n## {}\n\n", section.title);
            if !section.note.is_empty() {
                text += &format!("{}\n\n", markdown(&section.note));
            }
            text += "| | |\n| --- | --- |\n";
            for row in &section.rows {
                let sign = row.sign.map_or(String::new(), |s| format!("**{}** ", s.as_str()));
                let source = row.source.as_ref().map_or(String::new(), |s| {
                    let line = s.line.as_ref();
                    let line =
                        line.map_or(String::new(), |l| format!("<br>`{}`", markdown_code(l)));
                    format!("<br>{}{line}", markdown(&place(s)))
                });
                let (label, told) = (markdown(&row.label), markdown(&row.text));
                text += &format!("| {sign}{label} | {told}{source} |\n");
            }
        }
        text
    }

    fn judged(&self) -> String {
        let provisional = if self.provisional { " (provisional)" } else { "" };
        format!("{}{provisional}", self.verdict)
    }
}

fn line_of(row: &Row, section: &Section) -> String {
    let widths = section.rows.iter().map(|row| row.label.chars().count());
    let width = widths.filter(|width| *width <= LABEL_COLUMNS).max().unwrap_or_default();
    let sign = row.sign.map_or(String::new(), |sign| format!("{:<7} ", sign.as_str()));
    let label = clean(&row.label);
    let mut text = format!("  {sign}{label:<width$}  {}\n", clean(&row.text));
    let indent = " ".repeat(4 + width);
    if let Some(source) = &row.source {
        text += &format!("{indent}{}\n", clean(&place(source)));
        if let Some(line) = &source.line {
            text += &format!("{indent}| {}\n", clean(line));
        }
    }
    text
}

/// Where a line stands, in words.
fn place(source: &Source) -> String {
    let gone = if source.gone { ", which no longer holds that line" } else { "" };
    format!("{} byte {}{gone}", source.file, source.offset)
}

/// Text between backticks in a cell of a table.
fn markdown_code(text: &str) -> String {
    clean(text).replace('`', "'").replace('|', "\\|")
}
