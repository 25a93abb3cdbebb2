//! Sources as written -> whose they are and which files are followed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use crate::calendar::Zone;
use crate::config::Source;
use crate::config::check::Check;
use crate::config::documents::Kind;
use crate::config::owners::{Known, common_zone, named};
use crate::config::problem::Fault;
use crate::config::scalars::Zero;
use crate::config::written;
use crate::config::yaml::Text;
use crate::policy::Partner;

impl Check<'_> {
    /// Sources in the order of the file. `folder` is the absolute one of the configuration file.
    pub fn sources(
        &mut self,
        file: &Spanned<written::File>,
        partners: &[Partner],
        folder: &Path,
    ) -> Vec<Source> {
        let Some(list) = self.required(file.defined, "sources", &file.value.sources) else {
            return Vec::new();
        };
        let written = list.value.as_slice();
        self.not_empty(list.defined, written.is_empty());
        let partners = Known::new(partners);
        let mut names = HashSet::new();
        let mut sources = Vec::new();
        for source in written {
            let at = source.value.name.as_ref().map_or(source.defined, |name| name.defined);
            if let Some(name) = name_of(&source.value)
                && !names.insert(name.clone())
            {
                self.error(at, format!("a second source named {name:?}"));
            }
            sources.extend(self.source(source.defined, &source.value, &partners, folder));
        }
        self.unwatched(&file.value, written);
        sources
    }

    fn source(
        &mut self,
        at: Location,
        written: &written::Source,
        partners: &Known<'_>,
        folder: &Path,
    ) -> Option<Source> {
        let name = match (&*written.name, name_of(written)) {
            (None, Some(derived)) => Some(derived.into()),
            _ => self.required(at, "name", &written.name).map(|name| self.name(name)),
        };
        let owners = self.owners(at, written, partners);
        self.required(at, "files", &written.files);
        let files = self.list(&written.files);
        let patterns = files.iter().filter_map(|text| self.absolute(text, folder)).collect();
        let archive = self.archive(written, folder);
        let max_silence = self.duration(&written.max_silence, Zero::Senseless);
        let max_event_silence = self.duration(&written.max_event_silence, Zero::Senseless);
        let ours = written.ours.as_ref().is_some_and(|ours| ours.value);
        let delivered_every = self.duration(&written.delivered_every, Zero::Senseless);
        if let Some(text) = written.delivered_every.as_ref().filter(|_| !ours) {
            let fault = Fault::new("delivered_every of a source that is not ours");
            let accepted = "it with ours: true; what a partner delivers late confirms nothing";
            self.error(text.defined, fault.accepted(accepted));
        }
        let own_zone = self.zone(&written.timezone);
        let zone =
            own_zone.clone().or_else(|| common_zone(owners.as_deref()?)).unwrap_or_else(Zone::utc);
        let mut spec = match self.kind(written) {
            Some(Kind::Log) => self.spec(at, written, zone),
            Some(kind) => self.record_spec(at, written, zone, kind),
            None => None,
        };
        if let (Some(spec), Some([partner])) = (&mut spec, owners.as_deref()) {
            spec.clock_tolerance = partner.clock_tolerance;
        }
        let all = owners.as_deref().unwrap_or_default();
        let told = written.partners.as_ref();
        let told = told.and_then(|told| self.told_partners(told, all, own_zone.as_ref()));
        if let Some(spec) = &mut spec {
            spec.partners = told;
        }
        Some(Source {
            name: name?,
            partners: owners?.iter().map(|partner| Arc::clone(&partner.name)).collect(),
            ours,
            delivered_every,
            patterns,
            archive,
            files_as_written: files.iter().map(|text| text.value.clone()).collect(),
            max_silence,
            max_event_silence,
            spec: Arc::new(spec?),
        })
    }

    /// The folders and patterns in which rotated files may lie. Documents are not rotated.
    fn archive(&mut self, written: &written::Source, folder: &Path) -> Vec<String> {
        let archive = self.list(&written.archive);
        let is_log = written.kind.as_ref().is_none_or(|kind| kind.value == "log");
        if let Some(first) = archive.first().filter(|_| !is_log) {
            let fault = Fault::new("archive of documents, which are not rotated");
            self.error(first.defined, fault.accepted("it with kind: log"));
        }
        let mut texts = Vec::new();
        for text in archive {
            let absolute = self.absolute(text, folder);
            if absolute.as_ref().is_some_and(|text| text.trim_matches('/').is_empty()) {
                let fault = Fault::new(format!("{:?} is the folder of everything", text.value));
                self.error(text.defined, fault.accepted("a folder of rotated logs"));
            }
            texts.extend(absolute);
        }
        texts
    }

    /// Whoever has no source is not watched at all, and would look compliant.
    fn unwatched(&mut self, file: &written::File, sources: &[Spanned<written::Source>]) {
        let named: HashSet<&str> = sources.iter().flat_map(|source| named(&source.value)).collect();
        let partners = file.partners.as_ref().map_or(&[] as &[_], |table| &table.value);
        for (name, _) in partners.iter().filter(|(name, _)| !named.contains(&*name.value)) {
            let message = format!("partner {:?} has no source: its runs are not seen", name.value);
            self.warn(name.defined, message);
        }
    }

    /// A pattern of files, relative to the folder of the configuration.
    fn absolute(&mut self, text: &Text, folder: &Path) -> Option<String> {
        let pattern = self.text(text)?;
        if pattern.contains(char::is_control) {
            self.error(text.defined, format!("control character in file {pattern:?}"));
            return None;
        }
        if pattern.starts_with('/') {
            return Some(pattern.to_owned());
        }
        let Some(folder) = folder.to_str() else {
            let fault = Fault::new("relative path, but the folder of this file is not UTF-8");
            self.error(text.defined, fault.accepted("an absolute path"));
            return None;
        };
        let relative = pattern.strip_prefix("./").unwrap_or(pattern);
        Some(format!("{}/{relative}", literal(folder).trim_end_matches('/')))
    }
}

/// The name of a source; of one that has a preset and none, its partner's and the preset's.
fn name_of(written: &written::Source) -> Option<String> {
    if let Some(name) = written.name.as_ref() {
        return Some(name.value.clone());
    }
    let (partner, preset) = (written.partner.as_ref()?, written.preset.as_ref()?);
    Some(format!("{}-{}", partner.value, preset.value))
}

/// A folder's name in a pattern: what would stand for something else there stands for itself.
fn literal(folder: &str) -> String {
    let mut pattern = String::with_capacity(folder.len());
    for c in folder.chars() {
        match c {
            '*' | '?' | '[' => pattern.extend(['[', c, ']']),
            c => pattern.push(c),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_itself_in_a_pattern() {
        for (folder, want) in
            [("/etc/offhours", "/etc/offhours"), ("/a[1]/*?", "/a[[]1]/[*][?]"), ("/", "/")]
        {
            assert_eq!(literal(folder), want);
        }
    }
}
