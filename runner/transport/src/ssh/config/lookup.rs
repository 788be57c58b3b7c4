//! Which settings of a configuration are for a host.

use std::collections::HashMap;

use super::{Config, Criterion, CriterionKind, Line, Setting};
use crate::ssh::pattern::any_matches;

/// Settings that add up; of all others the first one counts.
const ADDED: &[&str] = &["identityfile", "certificatefile", "sendenv", "setenv"];

/// Whom the settings are looked up for.
#[derive(Debug, Clone, Copy)]
pub(in crate::ssh) struct Subject<'a> {
    /// The name that was asked for.
    pub(in crate::ssh) host: &'a str,
    /// The user that runs this program.
    pub(in crate::ssh) local_user: &'a str,
}

/// The settings found so far.
#[derive(Debug, Default)]
pub(in crate::ssh) struct Found {
    settings: HashMap<String, Vec<Setting>>,
}

impl Found {
    /// Adds a setting, unless there is one already.
    pub(in crate::ssh) fn add(&mut self, setting: &Setting) {
        let known = self.settings.entry(setting.keyword.clone()).or_default();
        if known.is_empty() || ADDED.contains(&setting.keyword.as_str()) {
            known.push(setting.clone());
        }
    }

    /// Adds what a configuration says of a subject.
    pub(in crate::ssh) fn look_up(&mut self, config: &Config, subject: Subject<'_>) {
        self.lines(&config.lines, subject);
    }

    /// A setting.
    pub(in crate::ssh) fn get(&self, keyword: &str) -> Option<&Setting> {
        self.settings.get(keyword)?.first()
    }

    /// All settings of a keyword that adds up.
    pub(in crate::ssh) fn all(&self, keyword: &str) -> &[Setting] {
        self.settings.get(keyword).map_or(&[], Vec::as_slice)
    }

    fn lines(&mut self, lines: &[Line], subject: Subject<'_>) {
        let mut applies = true;
        for line in lines {
            match line {
                Line::Host(patterns) => {
                    applies = any_matches(patterns.iter().map(String::as_str), subject.host);
                }
                Line::Match(criteria) => {
                    applies = criteria.iter().all(|c| self.meets(c, subject));
                }
                Line::Set(setting) if applies => self.add(setting),
                Line::Include(lines) if applies => self.lines(lines, subject),
                Line::Set(_) | Line::Include(_) => {}
            }
        }
    }

    fn meets(&self, criterion: &Criterion, subject: Subject<'_>) -> bool {
        let so_far = |keyword| self.get(keyword).and_then(|s| s.words.first());
        let (patterns, text) = match &criterion.kind {
            CriterionKind::All => return !criterion.negated,
            CriterionKind::Unsupported => return false,
            CriterionKind::Host(patterns) => {
                let host = so_far("hostname").map(|name| name.replace("%h", subject.host));
                (patterns, host.unwrap_or_else(|| subject.host.to_owned()))
            }
            CriterionKind::OriginalHost(patterns) => (patterns, subject.host.to_owned()),
            CriterionKind::User(patterns) => {
                let user = so_far("user").cloned();
                (
                    patterns,
                    user.unwrap_or_else(|| subject.local_user.to_owned()),
                )
            }
            CriterionKind::LocalUser(patterns) => (patterns, subject.local_user.to_owned()),
        };
        any_matches(patterns.split(','), &text) != criterion.negated
    }
}
