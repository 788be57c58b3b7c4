//! Settings as `lookup('config', ...)` gives them: under Ansible's names, with what holds where
//! nothing was said.

use std::path::PathBuf;

use rplay_engine::{Gathering, Known};
use rplay_playbook::Duplicates;
use rplay_vars::Mappings;
use serde_json::{Value as Json, json};

use super::Settings;

/// Where what nobody set comes from.
pub(crate) const DEFAULT: &str = "default";

/// Settings whose name in the environment is another.
const OTHERWISE_CALLED: &[(&str, &str)] = &[
    ("COLLECTIONS_PATHS", "ANSIBLE_COLLECTIONS_PATHS"),
    ("DEFAULT_HOST_LIST", "ANSIBLE_INVENTORY"),
    ("DEFAULT_MODULE_PATH", "ANSIBLE_LIBRARY"),
    ("DEFAULT_MODULE_UTILS_PATH", "ANSIBLE_MODULE_UTILS"),
    (
        "INVENTORY_UNPARSED_IS_FAILED",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED",
    ),
    ("TAGS_RUN", "ANSIBLE_RUN_TAGS"),
    ("TAGS_SKIP", "ANSIBLE_SKIP_TAGS"),
];

/// The name of a setting in the environment.
fn variable(name: &str) -> String {
    let other = OTHERWISE_CALLED.iter().find(|(known, _)| *known == name);
    match other {
        Some((_, variable)) => (*variable).to_owned(),
        None if name.starts_with("ANSIBLE_") => name.to_owned(),
        None => format!("ANSIBLE_{}", name.strip_prefix("DEFAULT_").unwrap_or(name)),
    }
}

/// A setting: what was said of it, and what holds otherwise.
fn known(name: &str, said: Option<Json>, otherwise: Json, settings: &Settings) -> Known {
    let origin = settings.origins.get(variable(name).as_str());
    match said {
        Some(value) => Known {
            value,
            origin: origin.cloned().unwrap_or_default(),
        },
        None => Known {
            value: otherwise,
            origin: DEFAULT.to_owned(),
        },
    }
}

fn paths(paths: &Option<Vec<PathBuf>>) -> Option<Json> {
    let paths = paths.as_ref()?.iter();
    Some(paths.map(|path| path.display().to_string()).collect())
}

fn path(path: &Option<PathBuf>) -> Option<Json> {
    Some(path.as_ref()?.display().to_string().into())
}

fn own<T: Clone + Into<Json>>(said: &Option<T>) -> Option<Json> {
    said.clone().map(Into::into)
}

/// Every setting that can be asked for.
pub(crate) fn shown(settings: &Settings) -> Vec<(&'static str, Known)> {
    let s = settings;
    let gathering = s.gathering.map(|gathering| match gathering {
        Gathering::Implicit => "implicit",
        Gathering::Explicit => "explicit",
        Gathering::Smart => "smart",
    });
    let duplicates = s.duplicates.map(|duplicates| match duplicates {
        Duplicates::Passed => "ignore",
        Duplicates::Warned => "warn",
        Duplicates::Refused => "error",
    });
    let mappings = s.mappings.map(|mappings| match mappings {
        Mappings::Replaced => "replace",
        Mappings::Merged => "merge",
    });
    let word = |word: Option<&str>| word.map(Json::from);
    let none = Json::Null;
    let home = std::env::home_dir();
    let usual_roles = rplay_playbook::roles_path(None, home.as_deref());
    let all = [
        (
            "ALLOW_BROKEN_CONDITIONALS",
            own(&s.broken_conditionals),
            json!(false),
        ),
        ("ANSIBLE_FORCE_COLOR", own(&s.force_color), json!(false)),
        ("ANSIBLE_NOCOLOR", own(&s.no_colour), json!(false)),
        ("ANY_ERRORS_FATAL", own(&s.any_errors_fatal), json!(false)),
        ("COLLECTIONS_PATHS", paths(&s.collections_path), json!([])),
        ("CONFIG_FILE", path(&s.file), none.clone()),
        ("DEFAULT_ASK_PASS", own(&s.ask_pass), json!(false)),
        (
            "DEFAULT_ASK_VAULT_PASS",
            own(&s.ask_vault_pass),
            json!(false),
        ),
        ("DEFAULT_BECOME", own(&s.escalate), json!(false)),
        (
            "DEFAULT_BECOME_ASK_PASS",
            own(&s.become_ask_pass),
            json!(false),
        ),
        ("DEFAULT_BECOME_EXE", own(&s.become_exe), none.clone()),
        ("DEFAULT_BECOME_FLAGS", own(&s.become_flags), none.clone()),
        (
            "DEFAULT_BECOME_METHOD",
            own(&s.become_method),
            json!("sudo"),
        ),
        ("DEFAULT_BECOME_USER", own(&s.become_user), json!("root")),
        ("DEFAULT_DEBUG", own(&s.debug), json!(false)),
        (
            "DEFAULT_PRIVATE_ROLE_VARS",
            own(&s.private_role_vars),
            json!(false),
        ),
        (
            "ERROR_ON_MISSING_HANDLER",
            own(&s.error_on_missing_handler),
            json!(true),
        ),
        (
            "DEFAULT_FORCE_HANDLERS",
            own(&s.force_handlers),
            json!(false),
        ),
        ("DEFAULT_FORKS", own(&s.forks), json!(crate::options::FORKS)),
        ("DEFAULT_GATHERING", word(gathering), json!("implicit")),
        ("DEFAULT_HASH_BEHAVIOUR", word(mappings), json!("replace")),
        (
            "DEFAULT_HOST_LIST",
            own(&s.inventory),
            json!(["/etc/ansible/hosts"]),
        ),
        ("DEFAULT_LOG_PATH", path(&s.log_path), none.clone()),
        ("DEFAULT_MODULE_ARGS", own(&s.module_args), none.clone()),
        ("DEFAULT_MODULE_NAME", own(&s.module_name), json!("command")),
        ("DEFAULT_MODULE_PATH", paths(&s.library), json!([])),
        (
            "DEFAULT_MODULE_UTILS_PATH",
            paths(&s.module_utils),
            json!([]),
        ),
        ("DEFAULT_NO_LOG", own(&s.no_log), json!(false)),
        ("DEFAULT_POLL_INTERVAL", own(&s.poll_interval), json!(15)),
        (
            "DEFAULT_PRIVATE_KEY_FILE",
            path(&s.private_key_file),
            none.clone(),
        ),
        ("DEFAULT_REMOTE_PORT", own(&s.remote_port), none.clone()),
        ("DEFAULT_REMOTE_USER", own(&s.remote_user), none.clone()),
        (
            "DEFAULT_ROLES_PATH",
            paths(&s.roles_path),
            json!(usual_roles),
        ),
        ("DEFAULT_STRATEGY", own(&s.strategy), json!("linear")),
        ("DEFAULT_TIMEOUT", own(&s.timeout), json!(10)),
        ("DEFAULT_TRANSPORT", own(&s.transport), json!("ssh")),
        (
            "DEFAULT_VAULT_IDENTITY",
            own(&s.vault_identity),
            json!("default"),
        ),
        (
            "DEFAULT_VAULT_IDENTITY_LIST",
            own(&s.vault_identity_list),
            json!([]),
        ),
        (
            "DEFAULT_VAULT_PASSWORD_FILE",
            path(&s.vault_password_file),
            none.clone(),
        ),
        ("DEFAULT_VERBOSITY", own(&s.verbosity), json!(0)),
        (
            "DEPRECATION_WARNINGS",
            own(&s.deprecation_warnings),
            json!(true),
        ),
        ("DIFF_ALWAYS", own(&s.diff_always), json!(false)),
        ("DISPLAY_OK_HOSTS", own(&s.display_ok_hosts), json!(true)),
        (
            "DISPLAY_SKIPPED_HOSTS",
            own(&s.display_skipped_hosts),
            json!(true),
        ),
        ("DUPLICATE_YAML_DICT_KEY", word(duplicates), json!("warn")),
        ("HOST_KEY_CHECKING", own(&s.host_key_checking), json!(true)),
        (
            "INVENTORY_UNPARSED_IS_FAILED",
            own(&s.unparsed_is_failed),
            json!(false),
        ),
        ("LOCALHOST_WARNING", own(&s.localhost_warning), json!(true)),
        ("PLAYBOOK_DIR", path(&s.playbook_dir), none.clone()),
        ("TAGS_RUN", own(&s.run_tags), json!([])),
        ("TAGS_SKIP", own(&s.skip_tags), json!([])),
        ("TASK_TIMEOUT", own(&s.task_timeout), json!(0)),
    ];
    all.into_iter()
        .map(|(name, said, otherwise)| (name, known(name, said, otherwise, s)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_says_where_it_comes_from() {
        let settings = Settings {
            strategy: Some("free".to_owned()),
            origins: [("ANSIBLE_STRATEGY", "env: ANSIBLE_STRATEGY".to_owned())].into(),
            ..Settings::default()
        };
        let all = shown(&settings);
        let found = |name: &str| {
            let (_, known) = all.iter().find(|(n, _)| *n == name).unwrap();
            (known.value.clone(), known.origin.as_str())
        };
        assert_eq!(found("DEFAULT_STRATEGY").0, "free");
        assert_eq!(found("DEFAULT_STRATEGY").1, "env: ANSIBLE_STRATEGY");
        assert_eq!(found("DEFAULT_TIMEOUT"), (json!(10), "default"));
    }

    #[test]
    fn every_setting_but_the_file_is_of_the_table() {
        let rows: Vec<&str> = super::super::TABLE
            .iter()
            .flat_map(|row| row.env)
            .copied()
            .collect();
        for (name, _) in shown(&Settings::default()) {
            let variable = variable(name);
            // Neither has a name in the environment.
            let alone = ["CONFIG_FILE", "DEFAULT_MODULE_NAME"].contains(&name);
            assert!(alone || rows.contains(&variable.as_str()), "{variable}");
        }
    }
}
