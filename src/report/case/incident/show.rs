//! A timeline of events as Markdown, HTML and CSV.

use serde_json::Value;

use super::{Incident, Moment, files};
use crate::report::case::Source;
use crate::report::csv::cell;
use crate::report::plain::{clean, html, markdown};
use crate::report::style::page;

const TITLE: &str = "Timeline of events";

impl Incident {
    /// A section to be pasted into the report of an incident; nothing from a log is markup in it.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "## {TITLE}\n\n{}: {}\n\n{}\n\nTimes are those of {}; offsets count from the start of the run.\n\n",
            markdown(&self.title),
            self.verdict,
            markdown(&self.summary),
            markdown(&self.zone),
        );
        text += "| time | offset | UTC | what | line |\n| --- | ---: | --- | --- | --- |\n";
        for moment in &self.moments {
            let Moment { local, offset, at, .. } = moment;
            let what = markdown(&moment.what);
            let what = if moment.broken { format!("**{what}**") } else { what };
            let source = moment.source.as_ref();
            let place = source.map_or(String::new(), |source| markdown(&self.place(source)));
            text += &format!("| {local} | {offset} | {at} | {what} | {place} |\n");
        }
        for note in self.notes() {
            text += &format!("\n{}\n", markdown(&note));
        }
        text
    }

    /// One page.
    pub fn html(&self, made: &str) -> String {
        let title = format!("{TITLE}: {}", self.title);
        let mut body = format!(
            "<header>\n<p class=\"kind\">{TITLE}</p>\n<h1>{}</h1>\n</header>\n<p class=\"lead\">{}</p>\n\
             <p class=\"soft\">Times are those of {}; offsets count from the start of the run.</p>\n\
             <div class=\"wide\"><table class=\"moments\">\n<thead><tr><th scope=\"col\">Time</th>\
             <th scope=\"col\">Offset</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
            html(&self.title),
            html(&self.summary),
            html(&self.zone),
        );
        for moment in &self.moments {
            let loud = if moment.broken { " class=\"loud\"" } else { "" };
            let source = moment.source.as_ref();
            let source = source.map_or(String::new(), |source| self.source(source));
            body += &format!(
                "<tr{loud}><td>{}<br><span class=\"soft\">{}</span></td><td>{}</td><td>{}{source}</td></tr>\n",
                moment.local,
                moment.at,
                moment.offset,
                html(&moment.what)
            );
        }
        body += "</tbody></table></div>\n<footer class=\"soft\">\n";
        for note in self.notes() {
            body += &format!("<p>{}</p>\n", html(&note));
        }
        body += &format!("<p>{}</p>\n</footer>\n", html(made));
        page(&title, &body)
    }

    /// RFC 4180, with a header.
    pub fn csv(&self) -> String {
        let mut text = "at,local,offset,what,file,byte,line\r\n".to_owned();
        for moment in &self.moments {
            let source = moment.source.as_ref();
            let text_of = |text: Option<&String>| -> Value {
                text.map_or(Value::Null, |text| clean(text).into_owned().into())
            };
            let cells: [Value; 7] = [
                moment.at.as_str().into(),
                moment.local.as_str().into(),
                moment.offset.as_str().into(),
                text_of(Some(&moment.what)),
                text_of(source.map(|source| &source.file)),
                source.map_or(Value::Null, |source| source.offset.into()),
                text_of(source.and_then(|source| source.line.as_ref())),
            ];
            text += &cells.iter().map(cell).collect::<Vec<_>>().join(",");
            text += "\r\n";
        }
        text
    }

    /// Where a line stands; the file is told once if it is the only one.
    fn place(&self, source: &Source) -> String {
        let gone = if source.gone { " (no longer there)" } else { "" };
        match files(self).len() {
            0 | 1 => format!("byte {}{gone}", source.offset),
            _ => format!("{} byte {}{gone}", source.file, source.offset),
        }
    }

    fn source(&self, source: &Source) -> String {
        let line = source.line.as_ref();
        let line = line.map_or(String::new(), |line| format!("<br><code>{}</code>", html(line)));
        format!("{line}<br><span class=\"soft\">{}</span>", html(&self.place(source)))
    }

    /// What is to be known of all moments.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.notes.iter().map(|note| (*note).to_owned()).collect();
        if let (1, Some(file)) = (files(self).len(), files(self).first()) {
            notes.insert(0, format!("The lines are in {file}, at the byte given."));
        }
        notes
    }
}
