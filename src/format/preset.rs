//! Presets: how common programs write their logs, as data. A source that names one needs to say little more.

mod table;

use std::collections::HashMap;

use crate::calendar::Zone;

use super::regex::compile;
use super::spec::{Field, Format, Match, Pattern, Spec};
use super::stamp::TimeFormat;

pub use table::PRESETS;

/// What a source says by `preset: NAME`; whatever it says itself counts for more.
#[derive(Debug)]
pub struct Preset {
    pub name: &'static str,
    /// Which logs these are: a sentence for the documentation.
    pub summary: &'static str,
    /// What becomes a run, its id and its end, and what does not: sentences for the documentation.
    pub how: &'static str,
    pub layout: Layout,
    /// The forms of a line; with [`Layout::Json`] tried on the line as it is written.
    pub forms: &'static [Form],
    /// `key` of `match`.
    pub match_key: Option<&'static str>,
    /// `any` of `match`.
    pub match_any: &'static [&'static str],
    pub fields: &'static [(Field, &'static str)],
    /// Field, their word, our word.
    pub values: &'static [(Field, &'static str, &'static str)],
    pub defaults: &'static [(Field, &'static str)],
    pub continuation: Option<&'static str>,
}

/// The format that a preset builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Json,
    Regex,
}

/// One form of a line.
#[derive(Debug)]
pub struct Form {
    pub regex: &'static str,
    pub constants: &'static [(Field, &'static str)],
    pub ignore: bool,
}

impl Preset {
    /// The preset of this name.
    pub fn find(name: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// How lines are read by this preset alone, with stamps in `zone` where they name none.
    ///
    /// # Errors
    /// The sentence of an expression that cannot be compiled, which a test rules out for [`PRESETS`].
    pub fn spec(&self, zone: Zone) -> Result<Spec, String> {
        let owned = |pairs: &[(Field, &str)]| -> Vec<(Field, String)> {
            pairs.iter().map(|(field, text)| (*field, (*text).to_owned())).collect()
        };
        let pattern = |form: &Form| -> Result<Pattern, String> {
            let regex = compile(form.regex)?;
            Ok(Pattern { regex, constants: owned(form.constants), ignore: form.ignore })
        };
        let patterns = self.forms.iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        let mut values: HashMap<Field, HashMap<String, String>> = HashMap::new();
        for (field, theirs, ours) in self.values {
            values.entry(*field).or_default().insert((*theirs).into(), (*ours).into());
        }
        let format = match self.layout {
            Layout::Json => Format::Json { patterns },
            Layout::Regex => Format::Regex(patterns),
        };
        Ok(Spec {
            time_format: TimeFormat::Auto,
            matching: Some(Match {
                key: self.match_key.map(str::to_owned),
                any: self.match_any.iter().map(|word| (*word).to_owned()).collect(),
            }),
            fields: owned(self.fields).into_iter().collect(),
            values,
            defaults: owned(self.defaults).into_iter().collect(),
            continuation: self.continuation.map(compile).transpose()?,
            ..Spec::new(format, zone)
        })
    }
}

#[cfg(test)]
mod tests;
