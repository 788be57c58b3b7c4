//! Every setting, in one table: its names in the environment and in `ansible.cfg`, and what it sets.
//!
//! What only a Python has a use for is named at the end, so that it is passed over without a word.

use rplay_engine::Gathering;
use rplay_playbook::Duplicates;
use rplay_report::{Callback, Order, ResultFormat};
use rplay_vars::Mappings;

use super::{Settings, given::Given};

/// A setting.
pub(crate) struct Row {
    /// Its names in the environment; the last that is set counts.
    pub env: &'static [&'static str],
    /// Its section and key in the file; the last that is set counts.
    pub ini: &'static [(&'static str, &'static str)],
    /// Takes it over, typed; why not, in words.
    pub set: fn(&mut Settings, &Given) -> Result<(), String>,
}

type Set = fn(&mut Settings, &Given) -> Result<(), String>;
type Keys = &'static [(&'static str, &'static str)];

const fn row(env: &'static [&'static str], ini: Keys, set: Set) -> Row {
    Row { env, ini, set }
}

/// `Settings` fields of each type, set from what was given.
macro_rules! set {
    ($field:ident = $read:ident) => {
        |settings, given| {
            settings.$field = Some(given.$read()?);
            Ok(())
        }
    };
}

const BECOME: &str = "privilege_escalation";
const SSH: &str = "ssh_connection";

/// The settings that rplay obeys.
pub(crate) static TABLE: &[Row] = &[
    // Whom, where.
    row(
        &["ANSIBLE_INVENTORY"],
        &[("defaults", "inventory")],
        set!(inventory = inventories),
    ),
    row(
        &["ANSIBLE_INVENTORY_UNPARSED_FAILED"],
        &[("inventory", "unparsed_is_failed")],
        set!(unparsed_is_failed = truth),
    ),
    row(
        &["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"],
        &[("inventory", "any_unparsed_is_failed")],
        set!(any_unparsed_is_failed = truth),
    ),
    row(
        &["ANSIBLE_INVENTORY_UNPARSED_WARNING"],
        &[("inventory", "inventory_unparsed_warning")],
        set!(unparsed_warning = truth),
    ),
    row(
        &["ANSIBLE_INVENTORY_ENABLED"],
        &[("inventory", "enable_plugins")],
        set!(inventory_enabled = list),
    ),
    row(
        &["ANSIBLE_INVENTORY_IGNORE"],
        &[
            ("defaults", "inventory_ignore_extensions"),
            ("inventory", "ignore_extensions"),
        ],
        set!(inventory_ignore_extensions = list),
    ),
    row(
        &["ANSIBLE_INVENTORY_IGNORE_REGEX"],
        &[
            ("defaults", "inventory_ignore_patterns"),
            ("inventory", "ignore_patterns"),
        ],
        set!(inventory_ignore_patterns = patterns),
    ),
    row(
        &["ANSIBLE_INVENTORY_EXPORT"],
        &[("inventory", "export")],
        set!(inventory_export = truth),
    ),
    row(
        &["ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR"],
        &[("inventory_plugin_script", "always_show_stderr")],
        set!(inventory_script_stderr = truth),
    ),
    row(
        &["ANSIBLE_INVENTORY_USE_EXTRA_VARS"],
        &[("inventory_plugins", "use_extra_vars")],
        set!(inventory_extra_vars = truth),
    ),
    row(
        &["ANSIBLE_YAML_FILENAME_EXT", "ANSIBLE_INVENTORY_PLUGIN_EXTS"],
        &[
            ("defaults", "yaml_valid_extensions"),
            ("inventory_plugin_yaml", "yaml_valid_extensions"),
        ],
        set!(yaml_extensions = list),
    ),
    row(
        &["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"],
        &[("defaults", "force_valid_group_names")],
        |settings, given| {
            use rplay_inventory::Naming;
            settings.group_names = Some(given.choice(&[
                ("never", Naming::Warn),
                ("ignore", Naming::Ignore),
                ("always", Naming::Replace),
                ("silently", Naming::ReplaceSilently),
            ])?);
            Ok(())
        },
    ),
    row(
        &["ANSIBLE_ROLES_PATH"],
        &[("defaults", "roles_path")],
        set!(roles_path = paths),
    ),
    row(
        &["ANSIBLE_LIBRARY"],
        &[("defaults", "library")],
        set!(library = paths),
    ),
    row(
        &["ANSIBLE_ACTION_PLUGINS"],
        &[("defaults", "action_plugins")],
        set!(action_plugins = paths),
    ),
    row(
        &["ANSIBLE_BECOME_PLUGINS"],
        &[("defaults", "become_plugins")],
        set!(become_plugins = paths),
    ),
    row(
        &["ANSIBLE_CONNECTION_PLUGINS"],
        &[("defaults", "connection_plugins")],
        set!(connection_plugins = paths),
    ),
    row(
        &["ANSIBLE_FILTER_PLUGINS"],
        &[("defaults", "filter_plugins")],
        set!(filter_plugins = paths),
    ),
    row(
        &["ANSIBLE_INVENTORY_PLUGINS"],
        &[("defaults", "inventory_plugins")],
        set!(inventory_plugins = paths),
    ),
    row(
        &["ANSIBLE_TEST_PLUGINS"],
        &[("defaults", "test_plugins")],
        set!(test_plugins = paths),
    ),
    row(
        &["ANSIBLE_LOOKUP_PLUGINS"],
        &[("defaults", "lookup_plugins")],
        set!(lookup_plugins = paths),
    ),
    row(
        &["ANSIBLE_MODULE_UTILS"],
        &[("defaults", "module_utils")],
        set!(module_utils = paths),
    ),
    row(
        &["ANSIBLE_COLLECTIONS_PATHS", "ANSIBLE_COLLECTIONS_PATH"],
        &[
            ("defaults", "collections_paths"),
            ("defaults", "collections_path"),
        ],
        set!(collections_path = paths),
    ),
    row(
        &["ANSIBLE_PLAYBOOK_DIR"],
        &[("defaults", "playbook_dir")],
        set!(playbook_dir = path),
    ),
    // How hosts are reached.
    row(
        &["ANSIBLE_TRANSPORT"],
        &[("defaults", "transport")],
        set!(transport = text),
    ),
    row(
        &["ANSIBLE_REMOTE_USER"],
        &[("defaults", "remote_user")],
        set!(remote_user = text),
    ),
    row(
        &["ANSIBLE_REMOTE_PORT", "ANSIBLE_SSH_PORT"],
        &[("defaults", "remote_port"), (SSH, "port")],
        set!(remote_port = number),
    ),
    row(
        &["ANSIBLE_PRIVATE_KEY_FILE"],
        &[("defaults", "private_key_file")],
        set!(private_key_file = path),
    ),
    row(
        &["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"],
        &[
            ("defaults", "host_key_checking"),
            (SSH, "host_key_checking"),
        ],
        set!(host_key_checking = truth),
    ),
    row(
        &["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"],
        &[("defaults", "timeout"), (SSH, "timeout")],
        set!(timeout = number),
    ),
    row(
        &["ANSIBLE_SSH_ARGS"],
        &[(SSH, "ssh_args")],
        set!(ssh_args = text),
    ),
    row(
        &["ANSIBLE_SSH_COMMON_ARGS"],
        &[(SSH, "ssh_common_args")],
        set!(ssh_common_args = text),
    ),
    row(
        &["ANSIBLE_SSH_EXTRA_ARGS"],
        &[(SSH, "ssh_extra_args")],
        set!(ssh_extra_args = text),
    ),
    row(
        &["ANSIBLE_ASK_PASS"],
        &[("defaults", "ask_pass")],
        set!(ask_pass = truth),
    ),
    row(
        &["ANSIBLE_CONNECTION_PASSWORD_FILE"],
        &[("defaults", "connection_password_file")],
        set!(connection_password_file = path),
    ),
    // As whom.
    row(
        &["ANSIBLE_BECOME"],
        &[(BECOME, "become")],
        set!(escalate = truth),
    ),
    row(
        &["ANSIBLE_BECOME_METHOD"],
        &[(BECOME, "become_method")],
        set!(become_method = text),
    ),
    row(
        &["ANSIBLE_BECOME_USER"],
        &[(BECOME, "become_user")],
        set!(become_user = text),
    ),
    row(
        &["ANSIBLE_BECOME_EXE"],
        &[(BECOME, "become_exe")],
        set!(become_exe = text),
    ),
    row(
        &["ANSIBLE_BECOME_FLAGS"],
        &[(BECOME, "become_flags")],
        set!(become_flags = text),
    ),
    row(
        &["ANSIBLE_BECOME_PASS", "ANSIBLE_SUDO_PASS"],
        &[("sudo_become_plugin", "password")],
        set!(become_pass = text),
    ),
    row(
        &["ANSIBLE_SU_PROMPT_L10N"],
        &[("su_become_plugin", "localized_prompts")],
        set!(su_prompts = list),
    ),
    row(
        &["ANSIBLE_BECOME_ASK_PASS"],
        &[(BECOME, "become_ask_pass")],
        set!(become_ask_pass = truth),
    ),
    row(
        &["ANSIBLE_BECOME_PASSWORD_FILE"],
        &[("defaults", "become_password_file")],
        set!(become_password_file = path),
    ),
    // Vault.
    row(
        &["ANSIBLE_ASK_VAULT_PASS"],
        &[("defaults", "ask_vault_pass")],
        set!(ask_vault_pass = truth),
    ),
    row(
        &["ANSIBLE_VAULT_PASSWORD_FILE"],
        &[("defaults", "vault_password_file")],
        set!(vault_password_file = path),
    ),
    row(
        &["ANSIBLE_VAULT_IDENTITY_LIST"],
        &[("defaults", "vault_identity_list")],
        vault_identity_list,
    ),
    row(
        &["ANSIBLE_VAULT_IDENTITY"],
        &[("defaults", "vault_identity")],
        set!(vault_identity = text),
    ),
    row(
        &["ANSIBLE_VAULT_ENCRYPT_IDENTITY"],
        &[("defaults", "vault_encrypt_identity")],
        set!(vault_encrypt_identity = text),
    ),
    row(
        &["ANSIBLE_VAULT_ENCRYPT_SALT"],
        &[("defaults", "vault_encrypt_salt")],
        set!(vault_encrypt_salt = text),
    ),
    row(
        &["ANSIBLE_VAULT_ID_MATCH"],
        &[("defaults", "vault_id_match")],
        set!(vault_id_match = truth),
    ),
    row(
        &["EDITOR", "ANSIBLE_EDITOR"],
        &[("defaults", "editor")],
        set!(editor = text),
    ),
    row(
        &["PAGER", "ANSIBLE_PAGER"],
        &[("defaults", "pager")],
        set!(pager = text),
    ),
    // The run.
    row(
        &["ANSIBLE_FORKS"],
        &[("defaults", "forks")],
        set!(forks = number),
    ),
    row(
        &["ANSIBLE_GATHERING"],
        &[("defaults", "gathering")],
        |s, given| {
            let words = [
                ("implicit", Gathering::Implicit),
                ("explicit", Gathering::Explicit),
                ("smart", Gathering::Smart),
            ];
            s.gathering = Some(given.choice(&words)?);
            Ok(())
        },
    ),
    row(
        &["ANSIBLE_STRATEGY"],
        &[("defaults", "strategy")],
        set!(strategy = text),
    ),
    row(
        &["ANSIBLE_DUPLICATE_YAML_DICT_KEY"],
        &[("defaults", "duplicate_dict_key")],
        |s, given| {
            let words = [
                ("warn", Duplicates::Warned),
                ("error", Duplicates::Refused),
                ("ignore", Duplicates::Passed),
            ];
            s.duplicates = Some(given.choice(&words)?);
            Ok(())
        },
    ),
    row(
        &["ANSIBLE_HASH_BEHAVIOUR"],
        &[("defaults", "hash_behaviour")],
        |s, given| {
            let words = [("replace", Mappings::Replaced), ("merge", Mappings::Merged)];
            s.mappings = Some(given.choice(&words)?);
            Ok(())
        },
    ),
    row(
        &["ANSIBLE_ANY_ERRORS_FATAL"],
        &[("defaults", "any_errors_fatal")],
        set!(any_errors_fatal = truth),
    ),
    row(
        &["ANSIBLE_CACHE_PLUGIN"],
        &[("defaults", "fact_caching")],
        set!(fact_caching = text),
    ),
    row(
        &["ANSIBLE_CACHE_PLUGIN_CONNECTION"],
        &[("defaults", "fact_caching_connection")],
        set!(fact_caching_connection = path),
    ),
    row(
        &["ANSIBLE_CACHE_PLUGIN_PREFIX"],
        &[("defaults", "fact_caching_prefix")],
        set!(fact_caching_prefix = text),
    ),
    row(
        &["ANSIBLE_CACHE_PLUGIN_TIMEOUT"],
        &[("defaults", "fact_caching_timeout")],
        set!(fact_caching_timeout = number),
    ),
    row(
        &["ANSIBLE_DEBUG"],
        &[("defaults", "debug")],
        set!(debug = truth),
    ),
    row(
        &["ANSIBLE_PRIVATE_ROLE_VARS"],
        &[("defaults", "private_role_vars")],
        set!(private_role_vars = truth),
    ),
    row(
        &["ANSIBLE_ERROR_ON_MISSING_HANDLER"],
        &[("defaults", "error_on_missing_handler")],
        set!(error_on_missing_handler = truth),
    ),
    row(
        &["ANSIBLE_FORCE_HANDLERS"],
        &[("defaults", "force_handlers")],
        set!(force_handlers = truth),
    ),
    row(
        &["ANSIBLE_NO_LOG"],
        &[("defaults", "no_log")],
        set!(no_log = truth),
    ),
    row(
        &["ANSIBLE_TASK_TIMEOUT"],
        &[("defaults", "task_timeout")],
        set!(task_timeout = number),
    ),
    row(
        &["ANSIBLE_RUN_TAGS"],
        &[("tags", "run")],
        set!(run_tags = list),
    ),
    row(
        &["ANSIBLE_SKIP_TAGS"],
        &[("tags", "skip")],
        set!(skip_tags = list),
    ),
    row(
        &["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"],
        &[("defaults", "allow_broken_conditionals")],
        set!(broken_conditionals = truth),
    ),
    row(
        &["ANSIBLE_POLL_INTERVAL"],
        &[("defaults", "poll_interval")],
        set!(poll_interval = number),
    ),
    row(
        &[],
        &[("defaults", "module_name")],
        set!(module_name = text),
    ),
    row(
        &["ANSIBLE_MODULE_ARGS"],
        &[("defaults", "module_args")],
        set!(module_args = text),
    ),
    // The output.
    row(
        &["ANSIBLE_STDOUT_CALLBACK"],
        &[("defaults", "stdout_callback")],
        stdout_callback,
    ),
    row(
        &["ANSIBLE_CALLBACKS_ENABLED"],
        &[("defaults", "callbacks_enabled")],
        callbacks_enabled,
    ),
    row(
        &["PROFILE_TASKS_TASK_OUTPUT_LIMIT"],
        &[("callback_profile_tasks", "task_output_limit")],
        set!(profile_tasks_limit = text),
    ),
    row(
        &["PROFILE_TASKS_SORT_ORDER"],
        &[("callback_profile_tasks", "sort_order")],
        |s, given| {
            let known = [
                ("descending", Order::Descending),
                ("ascending", Order::Ascending),
                ("none", Order::Run),
            ];
            s.profile_tasks_order = Some(given.choice(&known)?);
            Ok(())
        },
    ),
    row(
        &["PROFILE_TASKS_SUMMARY_ONLY"],
        &[("callback_profile_tasks", "summary_only")],
        set!(profile_tasks_summary = truth),
    ),
    row(
        &["PROFILE_ROLES_SUMMARY_ONLY"],
        &[("callback_profile_roles", "summary_only")],
        set!(profile_roles_summary = truth),
    ),
    row(
        &["ANSIBLE_CALLBACK_RESULT_FORMAT"],
        &[("defaults", "callback_result_format")],
        |s, given| {
            s.result_format =
                Some(given.choice(&[("json", ResultFormat::Json), ("yaml", ResultFormat::Yaml)])?);
            Ok(())
        },
    ),
    row(
        &["ANSIBLE_CALLBACK_FORMAT_PRETTY"],
        &[("defaults", "callback_format_pretty")],
        set!(format_pretty = truth),
    ),
    row(
        &["DISPLAY_SKIPPED_HOSTS", "ANSIBLE_DISPLAY_SKIPPED_HOSTS"],
        &[("defaults", "display_skipped_hosts")],
        set!(display_skipped_hosts = truth),
    ),
    row(
        &["ANSIBLE_DISPLAY_OK_HOSTS"],
        &[("defaults", "display_ok_hosts")],
        set!(display_ok_hosts = truth),
    ),
    row(
        &["ANSIBLE_DISPLAY_FAILED_STDERR"],
        &[("defaults", "display_failed_stderr")],
        set!(display_failed_stderr = truth),
    ),
    row(
        &["ANSIBLE_SHOW_CUSTOM_STATS"],
        &[("defaults", "show_custom_stats")],
        set!(show_custom_stats = truth),
    ),
    row(
        &["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"],
        &[("defaults", "show_task_path_on_failure")],
        set!(task_path_on_failure = truth),
    ),
    row(
        &["ANSIBLE_CHECK_MODE_MARKERS"],
        &[("defaults", "check_mode_markers")],
        set!(check_mode_markers = truth),
    ),
    row(
        &["ANSIBLE_DIFF_ALWAYS"],
        &[("diff", "always")],
        set!(diff_always = truth),
    ),
    row(
        &["ANSIBLE_VERBOSITY"],
        &[("defaults", "verbosity")],
        set!(verbosity = number),
    ),
    row(
        &["ANSIBLE_FORCE_COLOR"],
        &[("defaults", "force_color")],
        set!(force_color = truth),
    ),
    row(
        &["NO_COLOR", "ANSIBLE_NOCOLOR"],
        &[("defaults", "nocolor")],
        no_colour,
    ),
    row(
        &["ANSIBLE_LOG_PATH"],
        &[("defaults", "log_path")],
        set!(log_path = path),
    ),
    row(
        &["ANSIBLE_LOCALHOST_WARNING"],
        &[("defaults", "localhost_warning")],
        set!(localhost_warning = truth),
    ),
    row(
        &["ANSIBLE_SYSTEM_WARNINGS"],
        &[("defaults", "system_warnings")],
        set!(system_warnings = truth),
    ),
    row(
        &["ANSIBLE_DEPRECATION_WARNINGS"],
        &[("defaults", "deprecation_warnings")],
        set!(deprecation_warnings = truth),
    ),
    row(
        &["ANSIBLE_ACTION_WARNINGS"],
        &[("defaults", "action_warnings")],
        set!(action_warnings = truth),
    ),
];

fn vault_identity_list(settings: &mut Settings, given: &Given) -> Result<(), String> {
    // The source behind the `@` is a path of the file's folder, or `prompt`.
    let one = |word: String| match word.rsplit_once('@') {
        Some((_, source)) if source.starts_with("prompt") => Ok(word),
        Some((id, source)) => {
            let path = Given {
                text: source.to_owned(),
                base: given.base.clone(),
            }
            .path()?;
            Ok(format!("{id}@{}", path.display()))
        }
        None if word.starts_with("prompt") => Ok(word),
        None => {
            let path = Given {
                text: word,
                base: given.base.clone(),
            }
            .path()?;
            Ok(path.display().to_string())
        }
    };
    let all: Result<Vec<String>, String> = given.list()?.into_iter().map(one).collect();
    settings.vault_identity_list = Some(all?);
    Ok(())
}

fn stdout_callback(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let name = given.text()?;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(&name);
    match short {
        "default" | "debug" | "ansible.posix.debug" => settings.callback = Some(Callback::Default),
        "yaml" | "community.general.yaml" => {
            settings.callback = Some(Callback::Default);
            settings.result_format = settings.result_format.or(Some(ResultFormat::Yaml));
        }
        "json" | "ansible.posix.json" | "jsonl" | "ansible.posix.jsonl" => settings.json = true,
        "minimal" => settings.callback = Some(Callback::Minimal),
        "oneline" => settings.callback = Some(Callback::Oneline),
        "rplay" => settings.callback = None,
        _ => {
            let words = "`default`, `minimal`, `oneline`, `yaml`, `json` and `rplay`";
            settings
                .notes
                .push(format!("there is no output `{name}`: there are {words}"));
        }
    }
    Ok(())
}

fn callbacks_enabled(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let names = given.list()?;
    let known = ["timer", "profile_tasks", "profile_roles"];
    for name in &names {
        let short = name.rsplit('.').next().unwrap_or_default();
        if !known.contains(&short) {
            let words = "`timer`, `profile_tasks` and `profile_roles`";
            settings.notes.push(format!(
                "the callback `{name}` is not run: there are {words}"
            ));
        }
    }
    settings.callbacks = Some(names);
    Ok(())
}

fn no_colour(settings: &mut Settings, given: &Given) -> Result<(), String> {
    // `NO_COLOR` counts where it is set to anything.
    settings.no_colour = Some(given.truth().unwrap_or(true));
    Ok(())
}

/// Keys that rplay has no use for, by section; all of a section where there is none.
pub(crate) static PASSED_OVER: &[(&str, &[&str])] = &[
    ("colors", &[]),
    ("galaxy", &[]),
    ("jinja2", &[]),
    ("netconf_connection", &[]),
    ("paramiko_connection", &[]),
    ("persistent_connection", &[]),
    ("selinux", &[]),
    ("connection", &[]),
    ("diff", &["context"]),
    (
        SSH,
        &[
            "control_path",
            "control_path_dir",
            "pipelining",
            "retries",
            "reconnection_retries",
            "scp_if_ssh",
            "sftp_batch_mode",
            "ssh_executable",
            "scp_executable",
            "sftp_executable",
            "transfer_method",
            "usetty",
            "use_tty",
            "sftp_extra_args",
            "scp_extra_args",
            "scp_extra_args",
            "password_mechanism",
            "pkcs11_provider",
            "verbosity",
            "ssh_agent",
        ],
    ),
    (
        "inventory",
        &[
            "cache",
            "cache_plugin",
            "cache_timeout",
            "cache_connection",
            "cache_prefix",
            "host_pattern_mismatch",
            "use_extra_vars",
        ],
    ),
    (
        BECOME,
        &["become_allow_same_user", "agnostic_become_prompt"],
    ),
    (
        "defaults",
        &[
            "allow_embedded_templates",
            "allow_unsafe_lookups",
            "allow_world_readable_tmpfiles",
            "ansible_managed",
            "bin_ansible_callbacks",
            "cache_plugins",
            "callback_enabled",
            "callback_plugins",
            "callback_whitelist",
            "cliconf_plugins",
            "collections_scan_sys_path",
            "collections_on_ansible_version_mismatch",
            "command_warnings",
            "cow_selection",
            "cowpath",
            "cowsay_enabled_stencils",
            "devel_warning",
            "display_args_to_stdout",
            "display_traceback",
            "doc_fragment_plugins",
            "docsite_root_url",
            "enable_task_debugger",
            "error_on_undefined_vars",
            "executable",
            "facts_modules",
            "handler_includes_static",
            "home",
            "httpapi_plugins",
            "inject_facts_as_vars",
            "internal_poll_interval",
            "interpreter_python",
            "invalid_task_attribute_failed",
            "jinja2_extensions",
            "jinja2_native",
            "jinja2_native_warning",
            "keep_remote_files",
            "libvirt_lxc_noseclabel",
            "local_tmp",
            "log_filter",
            "log_verbosity",
            "max_diff_size",
            "merge_multiple_cli_tags",
            "module_compression",
            "module_ignore_exts",
            "module_lang",
            "module_set_locale",
            "module_strict_utf8_response",
            "netconf_plugins",
            "network_group_modules",
            "no_target_syslog",
            "nocows",
            "null_representation",
            "old_plugin_cache_clear",
            "pipelining",
            "playbook_vars_root",
            "plugin_filters_cfg",
            "precedence",
            "python_module_rlimit_nofile",
            "remote_tmp",
            "retry_files_enabled",
            "retry_files_save_path",
            "run_vars_plugins",
            "squash_actions",
            "strategy_plugins",
            "string_conversion_action",
            "syslog_facility",
            "system_tmpdirs",
            "target_log_info",
            "task_debugger_ignore_errors",
            "task_includes_static",
            "terminal_plugins",
            "use_persistent_connections",
            "validate_action_group_metadata",
            "vars_plugins",
            "vars_plugins_enabled",
            "verbose_to_stderr",
            "win_async_startup_timeout",
        ],
    ),
];

/// Keys that change what a playbook means, and that rplay does not obey yet.
pub(crate) static NOT_OBEYED: &[(&str, &str, &str)] =
    &[("defaults", "inject_facts_as_vars", "true")];
