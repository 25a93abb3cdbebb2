//! The days of a month as pictures: what was agreed, planned and done, one for each service.

use crate::report::month::Month;
use crate::report::plain::html as plain;
use crate::report::timeline::{Scene, days, legend, stages};

/// Services that are drawn; the others are counted.
const SERVICES_MAX: usize = 12;

/// HTML with SVG; empty if the partner works on no service. `id` is unlike that of other pictures of the page.
pub fn picture(scene: &Scene, month: Month, id: &str) -> String {
    let stages = stages(scene);
    if stages.is_empty() {
        return String::new();
    }
    let (first, count) = month.days();
    let mut text = legend();
    for (n, stage) in stages.iter().take(SERVICES_MAX).enumerate() {
        let chart = days(scene, stage, first, count, &format!("{id}-{n}"));
        text += &format!(
            "<h3>{}</h3>\n<figure>\n{}<figcaption>Days and hours are those of {}.</figcaption>\n</figure>\n",
            plain(stage.name()),
            chart.html(),
            plain(stage.zone.name())
        );
    }
    if SERVICES_MAX < stages.len() {
        text += &format!("<p>And {} more services.</p>\n", stages.len() - SERVICES_MAX);
    }
    text
}
