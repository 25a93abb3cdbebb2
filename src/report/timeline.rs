//! A picture of days for people: business hours, windows, freezes, planned changes and runs, drawn as SVG 2.
//!
//! Every row is one day by the clocks of one zone, from midnight to midnight; a place on it is what those clocks
//! show, so that the hour that an autumn night has twice is drawn once.

mod draw;
mod scene;

pub use scene::{Scene, Shown, Stage, days, procedures, stages};

use crate::verdict::Verdict;

/// Minutes of a row.
pub const DAY_MINUTES: f64 = 1_440.0;

/// Bars of one row that stand side by side; those beyond are told in the row's name.
pub const LANES_MAX: usize = 4;

/// Bars of one row; the first of the day are drawn.
pub const BARS_MAX: usize = 60;

/// Rows under one heading of the picture of a day.
pub const ROWS_MAX: usize = 40;

/// A picture: rows below each other that share the hours.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Unlike that of every other picture on the page; ASCII letters, digits and hyphens.
    pub id: String,
    /// What it shows, for those who cannot see it too.
    pub title: String,
    pub rows: Vec<Row>,
    /// Rows that are not drawn.
    pub left_out: usize,
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub label: String,
    pub shades: Vec<Shade>,
    pub bars: Vec<Bar>,
    /// Bars that are not drawn.
    pub left_out: usize,
    /// Where the present is, in minutes of the day, and what the clocks show.
    pub now: Option<(f64, String)>,
}

/// What was agreed for a part of a day. The minutes are those of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shade {
    pub ground: Ground,
    pub from: f64,
    pub to: f64,
}

/// What a shaded stretch stands for, in the order in which they are drawn: what closes a window covers it, and only
/// the line at its foot goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    Window,
    BusinessHours,
    Freeze,
}

/// Something that happens, or is to happen. The minutes are those of the day.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub tone: Tone,
    pub from: f64,
    pub to: f64,
    /// It goes on.
    pub open: bool,
    /// What it is, in a line.
    pub told: String,
    pub href: Option<String>,
}

/// What a bar stands for, and so its colour and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Planned,
    /// What is still expected of a run.
    Projected,
    Of(Verdict),
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Planned => "planned",
            Tone::Projected => "projected",
            Tone::Of(verdict) => verdict.as_str(),
        }
    }
}

impl Ground {
    fn class(self) -> &'static str {
        match self {
            Ground::BusinessHours => "business",
            Ground::Window => "window",
            Ground::Freeze => "freeze",
        }
    }
}

impl Chart {
    /// The picture twice, wide and for telephones, of which the style of the page shows one.
    pub fn html(&self) -> String {
        let wide = draw::svg(self, draw::WIDE);
        let narrow = draw::svg(self, draw::NARROW);
        let mut text = format!(
            "<div class=\"on-wide\">\n{wide}</div>\n<div class=\"on-narrow\">\n{narrow}</div>\n"
        );
        if 0 < self.left_out {
            text += &format!("<p class=\"soft\">And {} more rows.</p>\n", self.left_out);
        }
        text
    }
}

/// What the colours and shapes mean, as a list.
pub fn legend() -> String {
    draw::legend()
}

#[cfg(test)]
mod tests;
