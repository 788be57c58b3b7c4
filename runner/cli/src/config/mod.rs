//! Settings from `ansible.cfg` and `ANSIBLE_...`: the environment goes before the file.
//!
//! Owns the names of settings and what they are read as. Knows nothing of the command line, which
//! goes before both.

mod file;
mod given;
mod shown;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rplay_diag::{Diagnostic, Source};
use rplay_engine::Gathering;
use rplay_playbook::Duplicates;
use rplay_report::{Callback, Order, ResultFormat};
use rplay_vars::Mappings;

use file::Entry;
use given::Given;
pub(crate) use given::expanded;
pub(crate) use shown::{DEFAULT, shown};
use table::{NOT_OBEYED, PASSED_OVER, Row, TABLE};

/// What was set, typed. `None`: nothing was said.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub(crate) struct Settings {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Where settings come from, by each of their names in the environment.
    pub origins: BTreeMap<&'static str, String>,
    /// What to tell the user.
    pub notes: Vec<String>,
    pub inventory: Option<Vec<String>>,
    pub unparsed_is_failed: Option<bool>,
    pub any_unparsed_is_failed: Option<bool>,
    pub unparsed_warning: Option<bool>,
    pub inventory_enabled: Option<Vec<String>>,
    pub inventory_ignore_extensions: Option<Vec<String>>,
    pub inventory_ignore_patterns: Option<Vec<regex::Regex>>,
    pub inventory_script_stderr: Option<bool>,
    pub inventory_extra_vars: Option<bool>,
    pub inventory_export: Option<bool>,
    pub yaml_extensions: Option<Vec<String>>,
    pub group_names: Option<rplay_inventory::Naming>,
    pub roles_path: Option<Vec<PathBuf>>,
    /// Folders of modules of the user's own.
    pub library: Option<Vec<PathBuf>>,
    /// Folders of plugins that expressions call.
    pub action_plugins: Option<Vec<PathBuf>>,
    pub become_plugins: Option<Vec<PathBuf>>,
    pub connection_plugins: Option<Vec<PathBuf>>,
    pub filter_plugins: Option<Vec<PathBuf>>,
    pub inventory_plugins: Option<Vec<PathBuf>>,
    pub test_plugins: Option<Vec<PathBuf>>,
    pub lookup_plugins: Option<Vec<PathBuf>>,
    /// Folders of Python that such modules share.
    pub module_utils: Option<Vec<PathBuf>>,
    pub collections_path: Option<Vec<PathBuf>>,
    pub playbook_dir: Option<PathBuf>,
    pub transport: Option<String>,
    pub remote_user: Option<String>,
    pub remote_port: Option<u64>,
    pub private_key_file: Option<PathBuf>,
    pub host_key_checking: Option<bool>,
    pub timeout: Option<u64>,
    pub ssh_args: Option<String>,
    pub ssh_common_args: Option<String>,
    pub ssh_extra_args: Option<String>,
    pub ask_pass: Option<bool>,
    pub connection_password_file: Option<PathBuf>,
    pub escalate: Option<bool>,
    pub become_method: Option<String>,
    pub become_user: Option<String>,
    pub become_exe: Option<String>,
    pub become_flags: Option<String>,
    pub become_pass: Option<String>,
    pub su_prompts: Option<Vec<String>>,
    pub become_ask_pass: Option<bool>,
    pub become_password_file: Option<PathBuf>,
    pub ask_vault_pass: Option<bool>,
    pub vault_password_file: Option<PathBuf>,
    pub vault_identity_list: Option<Vec<String>>,
    pub vault_identity: Option<String>,
    pub vault_encrypt_identity: Option<String>,
    pub vault_encrypt_salt: Option<String>,
    pub vault_id_match: Option<bool>,
    pub editor: Option<String>,
    pub pager: Option<String>,
    pub forks: Option<u64>,
    pub gathering: Option<Gathering>,
    pub strategy: Option<String>,
    /// What becomes of a key that is given twice.
    pub duplicates: Option<Duplicates>,
    /// What becomes of a mapping that two places set.
    pub mappings: Option<Mappings>,
    pub any_errors_fatal: Option<bool>,
    pub fact_caching: Option<String>,
    pub fact_caching_connection: Option<PathBuf>,
    pub fact_caching_prefix: Option<String>,
    pub fact_caching_timeout: Option<u64>,
    pub error_on_missing_handler: Option<bool>,
    pub debug: Option<bool>,
    pub private_role_vars: Option<bool>,
    pub force_handlers: Option<bool>,
    pub no_log: Option<bool>,
    pub task_timeout: Option<u64>,
    pub run_tags: Option<Vec<String>>,
    pub skip_tags: Option<Vec<String>>,
    pub broken_conditionals: Option<bool>,
    pub poll_interval: Option<u64>,
    pub module_name: Option<String>,
    pub module_args: Option<String>,
    pub callback: Option<Callback>,
    /// One JSON object an event.
    pub json: bool,
    pub callbacks: Option<Vec<String>>,
    pub profile_tasks_limit: Option<String>,
    pub profile_tasks_order: Option<Order>,
    pub profile_tasks_summary: Option<bool>,
    pub profile_roles_summary: Option<bool>,
    pub result_format: Option<ResultFormat>,
    pub format_pretty: Option<bool>,
    pub display_skipped_hosts: Option<bool>,
    pub display_ok_hosts: Option<bool>,
    pub display_failed_stderr: Option<bool>,
    pub show_custom_stats: Option<bool>,
    pub task_path_on_failure: Option<bool>,
    pub check_mode_markers: Option<bool>,
    pub diff_always: Option<bool>,
    pub verbosity: Option<u64>,
    pub force_color: Option<bool>,
    pub no_colour: Option<bool>,
    pub log_path: Option<PathBuf>,
    pub localhost_warning: Option<bool>,
    pub system_warnings: Option<bool>,
    pub action_warnings: Option<bool>,
    pub deprecation_warnings: Option<bool>,
}

impl Settings {
    /// Notes where a setting comes from.
    fn say(&mut self, row: &Row, origin: &str) {
        let names = row.env.iter();
        self.origins
            .extend(names.map(|name| (*name, origin.to_owned())));
    }
}

/// The settings of this process, and what is odd about them.
///
/// # Errors
/// A file that cannot be read, or a value that is not what its setting takes.
pub(crate) fn load() -> Result<(Settings, Vec<Diagnostic>), Diagnostic> {
    let (path, warning) = file::find();
    let (settings, warnings) = load_from(path)?;
    Ok((settings, warning.into_iter().chain(warnings).collect()))
}

/// The file that settings are read from.
pub(crate) fn file() -> Option<PathBuf> {
    file::find().0
}

/// The settings of a file and of the environment.
///
/// # Errors
/// As `load`.
pub(crate) fn load_from(path: Option<PathBuf>) -> Result<(Settings, Vec<Diagnostic>), Diagnostic> {
    let mut settings = Settings::default();
    let mut warnings: Vec<Diagnostic> = vec![];
    if let Some(path) = &path {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
        let source = Source::new(path.display().to_string(), text);
        let base = path.parent().unwrap_or(Path::new("."));
        warnings.extend(from_file(&mut settings, &file::entries(&source)?, base)?);
    }
    settings.file = path;
    from_environment(&mut settings, &|name| std::env::var(name).ok())?;
    warnings.extend(settings.notes.drain(..).map(Diagnostic::warning));
    Ok((settings, warnings))
}

fn from_file(
    settings: &mut Settings,
    entries: &[Entry],
    base: &Path,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let mut warnings = vec![];
    for entry in entries {
        let keys = (entry.section.as_str(), entry.key.as_str());
        let row = TABLE.iter().find(|row: &&Row| row.ini.contains(&keys));
        match row {
            Some(row) => {
                let given = Given {
                    text: entry.value.clone(),
                    base: base.to_owned(),
                };
                (row.set)(settings, &given).map_err(|why| {
                    Diagnostic::error(format!("`{}`: {why}", entry.key)).at(&entry.span)
                })?;
                let origin = entry.span.source().name().to_owned();
                settings.say(row, &origin);
            }
            None => warnings.extend(odd(entry)),
        }
    }
    Ok(warnings)
}

/// A warning of an entry that nothing obeys.
fn odd(entry: &Entry) -> Option<Diagnostic> {
    let (section, key) = (entry.section.as_str(), entry.key.as_str());
    let not_obeyed = NOT_OBEYED
        .iter()
        .find(|(s, k, _)| *s == section && *k == key);
    if let Some((_, _, usual)) = not_obeyed {
        let same = entry.value.to_lowercase() == *usual;
        let words = format!("`{key}` is not obeyed: it is as if it were `{usual}`");
        return (!same).then(|| Diagnostic::warning(words).at(&entry.span));
    }
    let known = PASSED_OVER
        .iter()
        .any(|(s, keys)| *s == section && (keys.is_empty() || keys.contains(&key)));
    // A plugin has a section of its own, of which nothing is known.
    let ours = TABLE
        .iter()
        .any(|row| row.ini.iter().any(|(s, _)| *s == section));
    if known || !ours {
        return None;
    }
    let keys = TABLE.iter().flat_map(|row| row.ini);
    let near = rplay_diag::did_you_mean(key, keys.filter(|(s, _)| *s == section).map(|(_, k)| *k));
    let warning = Diagnostic::warning(format!("there is no setting `{key}` in `[{section}]`"));
    let warning = warning.at(&entry.key_span);
    Some(match near {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => warning,
    })
}

fn from_environment(
    settings: &mut Settings,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Diagnostic> {
    let base = std::env::current_dir().unwrap_or_default();
    for row in TABLE {
        for name in row.env {
            let Some(text) = read(name).filter(|text| !text.is_empty()) else {
                continue;
            };
            let given = Given {
                text,
                base: base.clone(),
            };
            (row.set)(settings, &given).map_err(|why| {
                Diagnostic::error(format!("the variable `{name}` of the environment: {why}"))
            })?;
            let origin = format!("env: {name}");
            settings.say(row, &origin);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Settings, Vec<Diagnostic>), Diagnostic> {
        let mut settings = Settings::default();
        let source = Source::new("ansible.cfg", text);
        let warnings = from_file(&mut settings, &file::entries(&source)?, Path::new("/cfg"))?;
        Ok((settings, warnings))
    }

    #[test]
    fn settings_are_typed() {
        let (settings, warnings) = read(
            "[defaults]\nforks=7\nroles_path=r:/s\ngathering=smart\n[privilege_escalation]\nbecome=yes\n\
             [ssh_connection]\npipelining=true\n[colors]\nok=blue\n",
        )
        .unwrap();
        assert_eq!(settings.forks, Some(7));
        assert_eq!(
            settings.roles_path.unwrap(),
            [PathBuf::from("/cfg/r"), "/s".into()]
        );
        assert_eq!(settings.gathering, Some(Gathering::Smart));
        assert_eq!(settings.escalate, Some(true));
        assert_eq!(warnings, []);
    }

    #[test]
    fn a_bad_value_is_an_error_with_its_place() {
        let error = read("[defaults]\nforks = many\n").unwrap_err();
        assert_eq!(error.message, "`forks`: `many` is no whole number");
        assert_eq!(error.labels[0].span.to_string(), "ansible.cfg:2:9");
        let error = read("[defaults]\ngathering = some\n").unwrap_err();
        assert_eq!(
            error.message,
            "`gathering`: `some` is not one of `implicit`, `explicit`, `smart`"
        );
    }

    #[test]
    fn an_unknown_setting_is_told_of_with_what_may_be_meant() {
        let (_, warnings) =
            read("[defaults]\nfork = 7\nnocows=1\ninject_facts_as_vars=no\n").unwrap();
        let words: Vec<&str> = warnings.iter().map(|w| w.message.as_str()).collect();
        assert_eq!(
            words,
            [
                "there is no setting `fork` in `[defaults]`",
                "`inject_facts_as_vars` is not obeyed: it is as if it were `true`"
            ]
        );
        assert_eq!(warnings[0].help, ["did you mean `forks`?"]);
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let (mut settings, _) = read("[defaults]\nforks=7\ntimeout=3\n").unwrap();
        from_environment(&mut settings, &|name| {
            (name == "ANSIBLE_FORKS").then(|| "9".to_owned())
        })
        .unwrap();
        assert_eq!((settings.forks, settings.timeout), (Some(9), Some(3)));
        let error = from_environment(&mut settings, &|name| {
            (name == "ANSIBLE_FORKS").then(|| "x".to_owned())
        });
        assert_eq!(
            error.unwrap_err().message,
            "the variable `ANSIBLE_FORKS` of the environment: `x` is no whole number"
        );
    }

    #[test]
    fn no_name_stands_in_the_table_twice() {
        let mut names: Vec<String> = TABLE
            .iter()
            .flat_map(|row| {
                let keys = row.ini.iter().map(|(s, k)| format!("{s}.{k}"));
                row.env
                    .iter()
                    .map(|e| (*e).to_owned())
                    .chain(keys)
                    .collect::<Vec<_>>()
            })
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
