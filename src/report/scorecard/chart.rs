//! Runs by month and verdict as bars, in SVG without styles of its own.

use super::show::{AS_AGREED, EXEMPT, MISSING, NOT_AS_AGREED};
use super::{Figures, Scorecard};
use crate::verdict::Verdict;

const WIDTH: usize = 960;
const BASE: f64 = 120.0;
const BAR: f64 = 72.0;
/// The highest bar, in the same units.
const HIGH: f64 = 92.0;

/// Verdicts from the bottom up, with the class of their colour and their word.
const STACK: [(Verdict, &str, &str); 4] = [
    (Verdict::Compliant, "kept", AS_AGREED),
    (Verdict::Exempt, "exempt", EXEMPT),
    (Verdict::Unknown, "unknown", MISSING),
    (Verdict::Violation, "broken", NOT_AS_AGREED),
];

/// The figure; the table beside it says the same in numbers.
pub(super) fn chart(card: &Scorecard) -> String {
    let months: Vec<&Figures> = card.before.iter().chain([&card.figures]).collect();
    let most = months.iter().map(|figures| figures.runs).max().unwrap_or(0);
    if months.len() < 2 || most == 0 {
        return String::new();
    }
    let step = WIDTH as f64 / months.len() as f64;
    let mut bars = String::new();
    for (n, figures) in months.iter().enumerate() {
        let left = step * n as f64 + (step - BAR) / 2.0;
        let mut top = BASE;
        // What was seen only in old logs is not as good as what was seen live.
        let seen = if figures.coverage_ratio.is_none() { " unseen" } else { "" };
        for (verdict, class, word) in STACK {
            let runs = figures.of(verdict);
            let height = runs as f64 / most as f64 * HIGH;
            top -= height;
            if 0 < runs {
                let month = &figures.month;
                bars += &format!(
                    "<rect class=\"{class}{seen}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{BAR}\" height=\"{height:.1}\">\
                     <title>{month}: {runs} {word}</title></rect>\n"
                );
            }
        }
        let middle = left + BAR / 2.0;
        bars += &label("n", middle, top - 5.0, &figures.runs.to_string());
        bars += &label("m", middle, BASE + 15.0, &figures.month);
        if figures.coverage_ratio.is_none() {
            bars += &label("m", middle, BASE + 29.0, "no coverage");
        }
    }
    let keys: String = STACK
        .iter()
        .map(|(_, class, word)| format!("<span class=\"key {class}\"></span>{word}"))
        .collect();
    format!(
        "<figure class=\"wide\">\n<svg class=\"chart\" viewBox=\"0 0 {WIDTH} 152\" width=\"{WIDTH}\" height=\"152\" role=\"img\" \
         aria-label=\"Runs by month and verdict\">\n<line class=\"base\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{BASE}\" y2=\"{BASE}\"/>\n\
         {bars}</svg>\n<figcaption>Runs by month and verdict: {keys}</figcaption>\n</figure>\n"
    )
}

fn label(class: &str, x: f64, y: f64, text: &str) -> String {
    format!(
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{text}</text>\n"
    )
}
