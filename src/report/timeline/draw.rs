//! From rows to SVG. Colours are those of the page's style; shapes tell the same for those who do not see them.

use super::{Bar, Chart, DAY_MINUTES, Ground, LANES_MAX, Row, Shade, Tone};
use crate::report::plain::html as plain;
use crate::verdict::Verdict;

/// A width in pixels, and what follows from it.
#[derive(Clone, Copy)]
pub(super) struct Format {
    suffix: &'static str,
    width: f64,
    /// The column of the rows' names; `None`: each name stands above its row.
    names: Option<f64>,
    /// Between two hours that are written down.
    hours: usize,
}

pub(super) const WIDE: Format = Format { suffix: "w", width: 960.0, names: Some(212.0), hours: 2 };
pub(super) const NARROW: Format = Format { suffix: "n", width: 360.0, names: None, hours: 6 };

const TOP: f64 = 20.0;
const LANE: f64 = 13.0;
const PAD: f64 = 4.5;
const GAP: f64 = 4.0;
const NAME: f64 = 16.0;
/// So that a short run can be seen and touched.
const BAR_LEAST: f64 = 4.0;
/// Room for the letters of a name, in pixels each.
const LETTER: f64 = 6.6;
/// Two of the hours' names need so much between their middles.
const NEIGHBOURS: f64 = 26.0;
/// Half of the last hour's digits stand beside the rows.
const MARGIN: f64 = 12.0;

/// Sentences of the description for those who cannot see the picture.
const TOLD_MAX: usize = 30;

pub(super) fn svg(chart: &Chart, format: Format) -> String {
    let id = format!("{}-{}", chart.id, format.suffix);
    let mut body = String::new();
    let mut y = TOP;
    for row in &chart.rows {
        body += &format.row(row, &id, &mut y);
    }
    let height = y + GAP;
    format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n{}{}{body}</svg>\n",
        format.width,
        px(height),
        plain(&chart.title),
        plain(&told(chart)),
        patterns(&id),
        format.hours(height - GAP, chart.rows.iter().find_map(|row| row.now.as_ref())),
    )
}

/// The bars in words.
fn told(chart: &Chart) -> String {
    let all = chart.rows.iter().flat_map(|row| {
        row.bars.iter().filter(|bar| bar.tone != Tone::Projected).map(move |bar| (row, bar))
    });
    let count = all.clone().count();
    if count == 0 {
        return "Nothing ran and nothing is planned.".into();
    }
    let lines = all.take(TOLD_MAX).map(|(row, bar)| format!("{}: {}.", row.label, bar.told));
    let mut text = lines.collect::<Vec<_>>().join(" ");
    if TOLD_MAX < count {
        text += &format!(" And {} more.", count - TOLD_MAX);
    }
    text
}

fn patterns(id: &str) -> String {
    format!(
        "<defs><pattern id=\"{id}-f\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"freeze-line\" d=\"M0 0V6\"/></pattern>\
         <pattern id=\"{id}-x\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(-45)\"><path class=\"exempt-line\" d=\"M0 0V5\"/></pattern></defs>\n"
    )
}

impl Format {
    fn left(self) -> f64 {
        self.names.unwrap_or(MARGIN)
    }

    /// The place of a minute of the day.
    fn x(self, minute: f64) -> f64 {
        let hours = self.width - self.left() - MARGIN;
        self.left() + minute.clamp(0.0, DAY_MINUTES) / DAY_MINUTES * hours
    }

    /// The hours, and what the clocks show now, which pushes its neighbours aside.
    fn hours(self, bottom: f64, now: Option<&(f64, String)>) -> String {
        let mut text = "<g class=\"hours\">".to_owned();
        let now_at = now.map(|(minute, _)| self.x(*minute));
        for hour in (0..=24).step_by(self.hours) {
            let at = self.x(hour as f64 * 60.0);
            let x = px(at);
            text += &format!("<path d=\"M{x} {TOP}V{}\"/>", px(bottom));
            if now_at.is_none_or(|now| NEIGHBOURS <= (now - at).abs()) {
                text += &format!("<text x=\"{x}\" y=\"13\">{hour:02}</text>");
            }
        }
        if let Some((minute, clock)) = now {
            let x = px(self.x(*minute).clamp(NEIGHBOURS / 2.0, self.width - NEIGHBOURS / 2.0));
            text += &format!("<text class=\"clock\" x=\"{x}\" y=\"13\">{}</text>", plain(clock));
        }
        text + "</g>\n"
    }

    /// One row at `y`, which moves on.
    fn row(self, row: &Row, id: &str, y: &mut f64) -> String {
        let lanes = self.lanes(&row.bars);
        let used = lanes.iter().flatten().max().map_or(1, |lane| lane + 1);
        let is_run = |bar: &Bar| matches!(bar.tone, Tone::Of(_));
        let of_runs = row.bars.iter().zip(&lanes).filter(|(bar, _)| is_run(bar));
        let hidden = row.left_out + of_runs.filter(|(_, lane)| lane.is_none()).count();
        let height = used as f64 * LANE + 2.0 * PAD;
        let mut text = "<g>\n".to_owned();
        text += &self.name(row, hidden, height, y);
        let (left, width) = (self.left(), self.x(DAY_MINUTES) - self.left());
        let track = |class: &str, x: f64, width: f64| {
            format!(
                "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                px(x),
                px(*y),
                px(width),
                px(height)
            )
        };
        text += &track("track", left, width);
        for shade in &row.shades {
            text += &self.shade(shade, id, (*y, height), &track);
        }
        for window in row.shades.iter().filter(|shade| shade.ground == Ground::Window) {
            text += &self.foot(window, *y + height);
        }
        for (bar, lane) in row.bars.iter().zip(lanes) {
            text += &match (bar.tone, lane) {
                (Tone::Planned, _) => self.planned(bar, (*y, height)),
                (_, Some(lane)) => self.bar(bar, id, *y + PAD + lane as f64 * LANE),
                (_, None) => String::new(),
            };
        }
        if let Some((minute, clock)) = &row.now {
            text += &self.now(*minute, clock, (*y, height));
        }
        *y += height + GAP;
        text + "</g>\n"
    }

    /// Beside the row, or above it.
    fn name(self, row: &Row, hidden: usize, height: f64, y: &mut f64) -> String {
        let more = if 0 < hidden { format!(" (+{hidden})") } else { String::new() };
        let room = self.names.unwrap_or(self.width) - 10.0;
        let letters = (room / LETTER) as usize;
        let name = short(&row.label, letters.saturating_sub(more.len()));
        let (x, baseline) = match self.names {
            Some(_) => (0.0, *y + height / 2.0 + 4.0),
            None => {
                *y += NAME;
                (self.left(), *y - 4.0)
            }
        };
        let (x, baseline, name) = (px(x), px(baseline), plain(&(name + &more)));
        format!("<text class=\"name\" x=\"{x}\" y=\"{baseline}\">{name}</text>\n")
    }

    fn shade(
        self,
        shade: &Shade,
        id: &str,
        (y, height): (f64, f64),
        track: &impl Fn(&str, f64, f64) -> String,
    ) -> String {
        let (x, to) = (self.x(shade.from), self.x(shade.to));
        let mut text = track(shade.ground.class(), x, to - x);
        if shade.ground == Ground::Freeze {
            let (x, y, width, height) = (px(x), px(y), px(to - x), px(height));
            text += &format!(
                "<rect fill=\"url(#{id}-f)\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>\n"
            );
        }
        text
    }

    /// The line at the foot of a window, which shows also below what closes it.
    fn foot(self, window: &Shade, bottom: f64) -> String {
        let (x, to) = (self.x(window.from), self.x(window.to));
        let (x, y, width) = (px(x), px(bottom - 3.0), px(to - x));
        format!(
            "<rect class=\"window-foot\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"3\"/>\n"
        )
    }

    /// The ends of a bar, at least so far apart that it can be seen.
    fn ends(self, bar: &Bar) -> (f64, f64) {
        let (from, to) = (self.x(bar.from), self.x(bar.to));
        (from, to.max(from + BAR_LEAST))
    }

    fn bar(self, bar: &Bar, id: &str, y: f64) -> String {
        let (from, to) = self.ends(bar);
        let (class, height) = (bar.tone.class(), LANE - 2.0);
        let shape = |more: &str| {
            let (x, y, width, height) = (px(from), px(y), px(to - from), px(height));
            format!(
                "<rect {more} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"2\"/>"
            )
        };
        let mut text = shape(&format!("class=\"bar {class}\""));
        if bar.tone == Tone::Of(Verdict::Exempt) {
            text += &shape(&format!("fill=\"url(#{id}-x)\""));
        }
        if bar.tone == Tone::Of(Verdict::Violation) {
            let (middle, y) = (from + 3.5, y - 1.5);
            text += &format!(
                "<path class=\"flag\" d=\"M{} {}h9l-4.5 7z\"/>",
                px(middle - 4.5),
                px(y - 2.0)
            );
        }
        if bar.open {
            let (x, y) = (px(to), px(y));
            text += &format!(
                "<path class=\"on {class}\" d=\"M{x} {y}l6 {}l-6 {}z\"/>",
                height / 2.0,
                height / 2.0
            );
        }
        let text = format!("<title>{}</title>{text}", plain(&bar.told));
        match &bar.href {
            Some(href) => format!("<a href=\"{}\" tabindex=\"-1\">{text}</a>\n", plain(href)),
            None => format!("<g>{text}</g>\n"),
        }
    }

    /// A plan is drawn round what comes of it.
    fn planned(self, bar: &Bar, (y, height): (f64, f64)) -> String {
        let (from, to) = self.ends(bar);
        format!(
            "<g><title>{}</title><rect class=\"bar planned\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/></g>\n",
            plain(&bar.told),
            px(from),
            px(y + 1.5),
            px(to - from),
            px(height - 3.0)
        )
    }

    fn now(self, minute: f64, clock: &str, (y, height): (f64, f64)) -> String {
        let (x, top, bottom) = (px(self.x(minute)), px(y - 2.0), px(y + height + 2.0));
        format!(
            "<path class=\"now-line\" d=\"M{x} {top}V{bottom}\"><title>{}</title></path>\n",
            plain(clock)
        )
    }

    /// The lane of each bar: the first in which it covers no other; `None` beyond the last.
    fn lanes(self, bars: &[Bar]) -> Vec<Option<usize>> {
        let mut ends: Vec<f64> = Vec::new();
        let mut last = None;
        let mut place = |bar: &Bar| {
            let (from, to) = self.ends(bar);
            let to = if bar.open { to + 7.0 } else { to + 1.0 };
            if bar.tone == Tone::Planned {
                return None;
            }
            if bar.tone == Tone::Projected {
                // It goes on from its run, in the lane of that.
                let end = last.and_then(|lane: usize| ends.get_mut(lane))?;
                *end = end.max(to);
                return last;
            }
            last = first_free(&mut ends, from, to);
            last
        };
        bars.iter().map(&mut place).collect()
    }
}

/// The first lane that is free from `from` on, which is then taken up to `to`.
fn first_free(ends: &mut Vec<f64>, from: f64, to: f64) -> Option<usize> {
    if let Some(lane) = ends.iter().position(|end| *end <= from) {
        *ends.get_mut(lane)? = to;
        return Some(lane);
    }
    if LANES_MAX <= ends.len() {
        return None;
    }
    ends.push(to);
    Some(ends.len() - 1)
}
/// What the colours and shapes mean.
pub(super) fn legend() -> String {
    let ground = |class: &str| format!("<rect class=\"{class}\" width=\"22\" height=\"14\"/>");
    let bar = |class: &str| {
        format!("<rect class=\"bar {class}\" x=\"1\" y=\"2\" width=\"20\" height=\"10\" rx=\"2\"/>")
    };
    let foot = "<rect class=\"window-foot\" y=\"11\" width=\"22\" height=\"3\"/>";
    let freeze =
        format!("{}<path class=\"freeze-line\" d=\"M2 14L14 0M10 14L22 2\"/>", ground("freeze"));
    let exempt =
        format!("{}<path class=\"exempt-line\" d=\"M4 12L12 2M11 12L19 2\"/>", bar("exempt"));
    let violation = format!("{}<path class=\"flag\" d=\"M1 0h9l-4.5 7z\"/>", bar("violation"));
    let keys = [
        (ground("business"), "business hours"),
        (ground("window") + foot, "window"),
        (freeze, "freeze"),
        (bar("planned"), "planned"),
        (bar("compliant"), "as agreed"),
        (violation, "violation"),
        (exempt, "exempt (emergency)"),
        (bar("unknown"), "evidence is missing"),
        (bar("projected"), "forecast"),
    ];
    let item = |(picture, text): &(String, &str)| {
        format!(
            "<li><svg class=\"timeline\" viewBox=\"0 0 22 14\" width=\"22\" height=\"14\" aria-hidden=\"true\">{picture}</svg> {text}</li>\n"
        )
    };
    format!("<ul class=\"legend\">\n{}</ul>\n", keys.iter().map(item).collect::<String>())
}

/// The text, cut to so many characters.
fn short(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept + "…"
}

/// Pixels, to a tenth.
fn px(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
