//! Scorecards as one HTML file that prints well.

use super::markdown::{brief, broken};
use super::show::{
    IN_BUSINESS_HOURS, MISSING, NONE, NOT_AS_AGREED, NOTES, WAITING, adherence, coverage, headline,
    kept, minutes, table,
};
use super::{Figures, KPIS, Scorecard, chart};
use crate::report::case::{CaseFile, Row, Sign};
use crate::report::plain::html as plain;
use crate::report::style::page;
use crate::verdict::Verdict;

/// Less coverage than this says little; as for the alert about low adherence.
const COVERAGE_ENOUGH: f64 = 0.9;

/// Less adherence than this is to be spoken about; as for the alert.
const ADHERENCE_WANTED: f64 = 0.95;

/// How many of the first rows of the table stand out.
const HEAD_ROWS: usize = 2;

/// One page. `made` tells when and by what; `pictures` are HTML, one for each card or none at all.
pub fn html(cards: &[Scorecard], pictures: &[String], made: &str) -> String {
    let names: Vec<&str> = cards.iter().map(|card| card.partner.as_str()).collect();
    let month = cards.first().map_or("", |card| &card.month_name);
    let title = format!("Maintenance by {}: {month}", names.join(", "));
    let mut body = String::new();
    for (n, card) in cards.iter().enumerate() {
        body += &section(card, pictures.get(n).map_or("", String::as_str));
    }
    body += "<footer class=\"soft\">\n<h2>How to read it</h2>\n<ul>\n";
    for note in NOTES {
        body += &format!("<li>{note}</li>\n");
    }
    for kpi in KPIS {
        body += &format!("<li>{}: {}.</li>\n", kpi.title, kpi.meaning);
    }
    body += &format!("</ul>\n<p>{}</p>\n</footer>\n", plain(made));
    page(&title, &body)
}

fn section(card: &Scorecard, picture: &str) -> String {
    let mut text = format!(
        "<section class=\"card\">\n<header>\n<p class=\"kind\">Maintenance, service review</p>\n\
         <h1>{}: {}</h1>\n</header>\n<p class=\"lead\">{}</p>\n",
        plain(&card.partner),
        card.month_name,
        headline(card)
    );
    text += &tiles(card);
    text += "<h2>Figures and trend</h2>\n";
    text += &chart::chart(card);
    text += &figures(card);
    if !picture.is_empty() {
        text += &format!("<h2>The month</h2>\n{picture}");
    }
    text += "<h2>Violations</h2>\n";
    if card.violations.is_empty() {
        text += "<p>None.</p>\n";
    }
    card.violations.iter().for_each(|case| text += &violation(case));
    let all = card.figures.of(Verdict::Violation);
    let more = all.saturating_sub(card.violations.len() as u64);
    if 0 < more {
        text += &format!("<p>And {more} more: <code>offhours runs</code> lists them.</p>\n");
    }
    text += &procedures(card);
    text + "</section>\n"
}

fn tiles(card: &Scorecard) -> String {
    let figures = &card.figures;
    let tile = |tone: &str, value: String, what: String| {
        format!("<div class=\"tile {tone}\"><b>{value}</b><span>{what}</span></div>\n")
    };
    let of_adherence = match figures.adherence_ratio {
        Some(ratio) if ratio < ADHERENCE_WANTED => "bad",
        Some(_) => "good",
        None => "",
    };
    let of_coverage = match figures.coverage_ratio {
        Some(ratio) if COVERAGE_ENOUGH <= ratio => "good",
        _ => "warn",
    };
    // Of what nobody saw, none is not good.
    let tone = |n: u64| match (n, figures.coverage_ratio) {
        (0, Some(_)) => "good",
        (0, None) => "",
        _ => "bad",
    };
    let count = |n: u64, what: &str| tile(tone(n), n.to_string(), what.into());
    let unknown = figures.of(Verdict::Unknown);
    let doubt = |n: u64| if 0 < n { "warn" } else { tone(0) };
    let text = [
        match figures.adherence_ratio {
            Some(_) => {
                tile(of_adherence, adherence(figures), format!("Adherence: {}", kept(figures)))
            }
            None => tile("", NONE.into(), format!("Adherence: {}", adherence(figures))),
        },
        match figures.coverage_ratio {
            Some(_) => tile(of_coverage, coverage(figures), "Coverage: how much was seen".into()),
            None => tile(of_coverage, "none".into(), "Coverage: nothing was seen live".into()),
        },
        count(figures.of(Verdict::Violation), NOT_AS_AGREED),
        count(figures.unacknowledged, WAITING),
        tile(doubt(unknown), unknown.to_string(), MISSING.into()),
        tile("", minutes(&figures.business_hours_seconds), IN_BUSINESS_HOURS.into()),
    ];
    format!("<div class=\"tiles\">\n{}</div>\n", text.concat())
}

fn figures(card: &Scorecard) -> String {
    let months: Vec<&Figures> = card.before.iter().chain([&card.figures]).collect();
    let last = months.len().saturating_sub(1);
    let class = |n: usize, value: &str| match (n == last, value == "0" || value == "0 min") {
        (true, true) => " class=\"now zero\"",
        (true, false) => " class=\"now\"",
        (false, true) => " class=\"zero\"",
        (false, false) => "",
    };
    let mut text = "<div class=\"wide\"><table class=\"figures\">\n<thead><tr><th></th>".to_owned();
    for (n, figures) in months.iter().enumerate() {
        let class = class(n, "");
        text += &format!("<th scope=\"col\"{class}>{}</th>", figures.month);
    }
    text += "</tr></thead>\n<tbody>\n";
    for (n, (title, values)) in table(card).into_iter().enumerate() {
        let head = if n < HEAD_ROWS { " class=\"head\"" } else { "" };
        text += &format!("<tr{head}><th scope=\"row\">{title}</th>");
        for (n, value) in values.iter().enumerate() {
            text += &format!("<td{}>{value}</td>", class(n, value));
        }
        text += "</tr>\n";
    }
    text + "</tbody></table></div>\n"
}

fn violation(case: &CaseFile) -> String {
    let provisional = if case.provisional { " (not final)" } else { "" };
    let (title, summary) = (plain(&case.title), plain(&case.summary));
    let mut text = format!("<article>\n<h3>{title}{provisional}</h3>\n<p>{summary}</p>\n<dl>\n");
    broken(case).for_each(|row| text += &item(row));
    for label in ["overridden", "acknowledged"] {
        case.row(label).into_iter().for_each(|row| text += &item(row));
    }
    text += "</dl>\n<p class=\"soft\">What should have happened</p>\n<dl>\n";
    brief(case).for_each(|row| text += &item(row));
    text + "</dl>\n</article>\n"
}

fn item(row: &Row) -> String {
    let class = match row.sign {
        Some(Sign::Broken) => " class=\"broken\"",
        Some(Sign::Waived) => " class=\"waived\"",
        _ => "",
    };
    let waived = if row.sign == Some(Sign::Waived) { " (waived)" } else { "" };
    format!("<dt{class}>{}{waived}</dt><dd>{}</dd>\n", plain(&row.label), plain(&row.text))
}

fn procedures(card: &Scorecard) -> String {
    let mut text = "<h2>Procedures</h2>\n".to_owned();
    if card.undeclared.is_empty() && card.reviews.is_empty() {
        return text
            + &format!(
                "<p>Everything that ran was declared, and all {} procedures are reviewed as agreed.</p>\n",
                card.procedures
            );
    }
    text += "<ul>\n";
    for told in
        card.undeclared.iter().map(|u| u.told()).chain(card.reviews.iter().map(|r| r.told()))
    {
        text += &format!("<li>{}</li>\n", plain(&told));
    }
    text + "</ul>\n"
}
