//! A case as a page.

use super::{CaseFile, Row, Section, Sign};
use crate::report::plain::html as plain;
use crate::report::style::page;

impl CaseFile {
    /// One HTML page.
    pub fn html(&self) -> String {
        let provisional = if self.provisional { " (not final)" } else { "" };
        let mut body = format!(
            "<header>\n<p class=\"kind\"><a href=\"/\">offhours</a>: the case of a run</p>\n<h1>{}</h1>\n\
             <p><span class=\"verdict {verdict}\">{verdict}</span>{provisional}</p>\n</header>\n\
             <p class=\"lead\">{}</p>\n<p class=\"soft\">Times are those of {}.</p>\n",
            plain(&self.title),
            plain(&self.summary),
            plain(&self.zone),
            verdict = self.verdict,
        );
        self.sections.iter().for_each(|section| body += &shown(section));
        page(&self.title, &body)
    }
}

fn shown(section: &Section) -> String {
    let mut text = format!("<section>\n<h2>{}</h2>\n", section.title);
    if !section.note.is_empty() {
        text += &format!("<p class=\"soft\">{}</p>\n", plain(&section.note));
    }
    text += "<dl class=\"case\">\n";
    section.rows.iter().for_each(|row| text += &item(row));
    text + "</dl>\n</section>\n"
}

fn item(row: &Row) -> String {
    let class = match row.sign {
        Some(Sign::Broken) => " class=\"broken\"",
        Some(Sign::Waived | Sign::Silent) => " class=\"waived\"",
        _ => "",
    };
    let sign = row.sign.map_or(String::new(), |sign| format!(" <small>{}</small>", sign.as_str()));
    let mut text = format!("<dt{class}>{}{sign}</dt><dd>{}", plain(&row.label), plain(&row.text));
    if let Some(source) = &row.source {
        let gone = if source.gone { ", which no longer holds that line" } else { "" };
        text += &format!(
            "<br><span class=\"soft\">{} byte {}{gone}</span>",
            plain(&source.file),
            source.offset
        );
        if let Some(line) = &source.line {
            text += &format!("<br><code>{}</code>", plain(line));
        }
    }
    text + "</dd>\n"
}
