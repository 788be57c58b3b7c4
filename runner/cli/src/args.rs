//! The command line: Ansible's flags, and rplay's own.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::inventory::InventoryArgs;
use crate::settings::ConfigCommand;
use crate::vault::VaultCommand;

/// Runs Ansible playbooks over SSH; nothing is needed on the hosts.
#[derive(Debug, Parser)]
#[command(name = "rplay", version, about, long_about = None)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Exit codes: 0 all well, 1 an error before the run, 2 hosts failed, \
    3 hosts unreachable (7 both), 4 bad playbook, inventory or plan, 5 bad arguments, 6 a plan that \
    does not fit any more, 130 interrupted. With --detailed-exitcode, and from `rplay drift`: 0 no \
    change, 2 changes, 1 hosts failed. `rplay doc` lists the modules."
)]
pub(crate) struct Cli {
    /// What to do other than run playbooks.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The run.
    #[command(flatten)]
    pub run: PlaybookArgs,

    /// What Ansible has nothing of.
    #[command(flatten)]
    pub review: ReviewArgs,
}

/// Things to do other than run playbooks.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Documentation of a module or connection, or the list of modules.
    Doc {
        /// The module or connection; without it, all modules are listed.
        module: Option<String>,
        /// All of it as Markdown, for the web pages.
        #[arg(long)]
        markdown: bool,
        /// A JSON schema of tasks, for editors.
        #[arg(long, conflicts_with = "markdown")]
        schema: bool,
        /// The connections that go through a program, as Markdown.
        #[arg(long, conflicts_with_all = ["markdown", "schema"])]
        connections: bool,
    },
    /// Saves what a run would change, for `rplay show` and `rplay apply`.
    Plan(Box<PlanArgs>),
    /// Shows a saved plan.
    Show(ShowArgs),
    /// Does what a saved plan says, where no host drifted since.
    Apply(Box<ApplyArgs>),
    /// Tells whether hosts are still as a playbook wants them: for a timer.
    Drift(Box<PlaybookArgs>),
    /// Runs one module on some hosts, as `ansible` does.
    Adhoc(Box<AdhocArgs>),
    /// Locks and opens files of variables, as `ansible-vault` does.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Shows hosts, groups and variables, as `ansible-inventory` does.
    Inventory(Box<InventoryArgs>),
    /// Shows settings and where they come from, as `ansible-config` does.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Runs playbooks on hosts.
#[derive(Debug, Parser)]
#[command(name = "ansible-playbook", version, about, infer_long_args = true)]
#[command(args_override_self = true)]
pub(crate) struct AnsiblePlaybook {
    #[command(flatten)]
    pub run: PlaybookArgs,
}

/// Runs one module on some hosts.
#[derive(Debug, Parser)]
#[command(name = "ansible", version, about, infer_long_args = true)]
#[command(args_override_self = true)]
pub(crate) struct AnsibleAdhoc {
    #[command(flatten)]
    pub run: AdhocArgs,
}

/// Shows hosts, groups and variables.
#[derive(Debug, Parser)]
#[command(name = "ansible-inventory", version, about, infer_long_args = true)]
#[command(args_override_self = true)]
pub(crate) struct AnsibleInventory {
    #[command(flatten)]
    pub run: InventoryArgs,
}

/// Locks and opens files of variables.
#[derive(Debug, Parser)]
#[command(name = "ansible-vault", version, about, infer_long_args = true)]
#[command(args_override_self = true)]
pub(crate) struct AnsibleVault {
    #[command(subcommand)]
    pub command: VaultCommand,
}

/// Shows settings and where they come from.
#[derive(Debug, Parser)]
#[command(name = "ansible-config", version, about, infer_long_args = true)]
#[command(args_override_self = true)]
pub(crate) struct AnsibleConfig {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// How a run is looked over before and after.
#[derive(Debug, Default, Args)]
pub(crate) struct ReviewArgs {
    /// Show what would change, ask, and do exactly that.
    #[arg(long, conflicts_with = "check")]
    pub ask: bool,

    /// End with 0 where nothing changed, 2 where something did, 1 where hosts failed.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// How to make a plan.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Save the plan to this file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// End with 0 where nothing would change, 2 where something would, 1 where hosts failed.
    #[arg(long)]
    pub detailed_exitcode: bool,

    #[command(flatten)]
    pub run: PlaybookArgs,
}

/// How to show a plan.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// As JSON.
    #[arg(long, conflicts_with = "html")]
    pub json: bool,

    /// As one HTML page that needs no other file.
    #[arg(long)]
    pub html: bool,
}

/// How to apply a plan: what it was made with is in it, passwords are not.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The plan.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// Show the difference that each change makes.
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// Hosts at a time (100, unless `ansible.cfg` says otherwise).
    #[arg(short, long, value_name = "FORKS")]
    pub forks: Option<usize>,

    /// Show more; repeat for more still.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Ask for the password to become another user.
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,

    /// Read the password to become another user from a file.
    #[arg(long, value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,

    /// Ask for the password to log in.
    #[arg(short = 'k', long, conflicts_with = "connection_password_file")]
    pub ask_pass: bool,

    /// Read the password to log in from a file.
    #[arg(long, value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,

    /// Log in with this key instead of the plan's.
    #[arg(long, value_name = "FILE")]
    pub private_key: Option<PathBuf>,

    #[command(flatten)]
    pub vault: VaultArgs,

    /// One JSON object an event, instead of text; what does not fit is one object too.
    #[arg(long)]
    pub json: bool,
}

/// How to run playbooks.
#[derive(Debug, Default, Args)]
pub(crate) struct PlaybookArgs {
    /// Playbooks, run one after the other.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,

    /// Only tasks with these tags.
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,

    /// No tasks with these tags.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,

    /// List the tasks, run nothing.
    #[arg(long)]
    pub list_tasks: bool,

    /// List the tags, run nothing.
    #[arg(long)]
    pub list_tags: bool,

    /// Check the playbooks' syntax, run nothing.
    #[arg(long)]
    pub syntax_check: bool,

    /// Start at the task of this name.
    #[arg(long, value_name = "TASK")]
    pub start_at_task: Option<String>,

    /// Ask before each task.
    #[arg(long)]
    pub step: bool,

    /// Run handlers even where a task failed.
    #[arg(long)]
    pub force_handlers: bool,

    #[command(flatten)]
    pub run: RunArgs,
}

/// How to run one module.
#[derive(Debug, Args)]
pub(crate) struct AdhocArgs {
    /// The hosts: a pattern.
    #[arg(value_name = "PATTERN")]
    pub pattern: String,

    /// The module (`command`, unless `ansible.cfg` says otherwise).
    #[arg(short, long, value_name = "MODULE")]
    pub module_name: Option<String>,

    /// Its arguments: key=value, JSON, or a command line.
    #[arg(
        short = 'a',
        long = "args",
        value_name = "ARGS",
        allow_hyphen_values = true
    )]
    pub module_args: Option<String>,

    /// A line a result.
    #[arg(short, long)]
    pub one_line: bool,

    /// Write each host's result to a file of this folder.
    #[arg(short, long, value_name = "FOLDER")]
    pub tree: Option<PathBuf>,

    /// Run in the background, for so many seconds at most.
    #[arg(short = 'B', long, value_name = "SECONDS")]
    pub background: Option<u64>,

    /// Seconds between two looks at what runs in the background; 0: do not wait for it.
    #[arg(short = 'P', long = "poll", value_name = "SECONDS")]
    pub poll: Option<u64>,

    /// The folder that counts as the playbook's.
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<PathBuf>,

    /// Seconds that a task may take.
    #[arg(long, value_name = "SECONDS")]
    pub task_timeout: Option<u64>,

    #[command(flatten)]
    pub run: RunArgs,
}

/// What playbooks and single modules have in common: where, as whom, how.
#[derive(Debug, Default, Args)]
pub(crate) struct RunArgs {
    /// Inventory: a file, a folder, a script, or a list of hosts with a comma. May be repeated.
    #[arg(short, long, value_name = "INVENTORY", alias = "inventory-file")]
    pub inventory: Vec<String>,

    /// Only these hosts: a pattern, or @FILE.
    #[arg(short, long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub limit: Option<String>,

    /// Variables: key=value, YAML, JSON, or @FILE. May be repeated.
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,

    /// Change nothing; say what would change.
    #[arg(short = 'C', long)]
    pub check: bool,

    /// Show the difference that each change makes.
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// Hosts at a time (100, unless `ansible.cfg` says otherwise).
    #[arg(short, long, value_name = "FORKS")]
    pub forks: Option<usize>,

    /// Show more; repeat for more still.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// List the hosts, run nothing.
    #[arg(long)]
    pub list_hosts: bool,

    /// Run as another user (root, unless --become-user says otherwise).
    #[arg(short = 'b', long = "become")]
    pub become_: bool,

    /// How to become another user: sudo, su or doas.
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,

    /// The user to become.
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,

    /// Ask for the password to become another user.
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,

    /// Read the password to become another user from a file.
    #[arg(long, value_name = "FILE", alias = "become-pass-file")]
    pub become_password_file: Option<PathBuf>,

    /// Log in as this user.
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,

    /// Ask for the password to log in.
    #[arg(short = 'k', long, conflicts_with = "connection_password_file")]
    pub ask_pass: bool,

    /// Read the password to log in from a file.
    #[arg(long, value_name = "FILE", alias = "conn-pass-file")]
    pub connection_password_file: Option<PathBuf>,

    /// Log in with this key.
    #[arg(long, alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,

    /// How to reach hosts that say nothing of it: ssh, local, docker, ... (`rplay doc --connections`).
    #[arg(short, long, value_name = "KIND")]
    pub connection: Option<String>,

    /// Seconds to wait for a connection.
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,

    /// Options for ssh, such as "-o ProxyJump=bastion".
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,

    /// More options for ssh.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,

    /// Taken for Ansible's sake: files go over ssh itself.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub scp_extra_args: Option<String>,

    /// Taken for Ansible's sake: files go over ssh itself.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub sftp_extra_args: Option<String>,

    /// Taken for Ansible's sake: modules are built in.
    #[arg(short = 'M', long, value_name = "PATHS")]
    pub module_path: Vec<String>,

    #[command(flatten)]
    pub vault: VaultArgs,

    /// One JSON object an event, instead of text.
    #[arg(long)]
    pub json: bool,

    /// Forget cached facts.
    #[arg(long)]
    pub flush_cache: bool,
}

/// Where vault passwords come from.
#[derive(Debug, Clone, Args, Default)]
pub(crate) struct VaultArgs {
    /// Read a vault password from a file (or an executable's output). May be repeated.
    #[arg(long, value_name = "FILE", alias = "vault-pass-file")]
    pub vault_password_file: Vec<PathBuf>,

    /// A vault password as ID@FILE or ID@prompt. May be repeated.
    #[arg(long, value_name = "ID@SOURCE")]
    pub vault_id: Vec<String>,

    /// Ask for the vault password.
    #[arg(
        short = 'J',
        long,
        alias = "ask-vault-password",
        conflicts_with = "vault_password_file"
    )]
    pub ask_vault_pass: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_lines_are_consistent() {
        Cli::command().debug_assert();
        AnsiblePlaybook::command().debug_assert();
        AnsibleAdhoc::command().debug_assert();
        AnsibleVault::command().debug_assert();
        AnsibleInventory::command().debug_assert();
        AnsibleConfig::command().debug_assert();
    }

    #[test]
    fn the_words_of_the_readme_are_understood() {
        let words = [
            "rplay",
            "playbooks/etcd.yml",
            "-i",
            "inventories/staging",
            "-CD",
        ];
        let cli = Cli::parse_from(words);
        assert!(cli.run.run.check && cli.run.run.diff);
        assert_eq!(cli.run.run.inventory, ["inventories/staging"]);
    }

    #[test]
    fn a_flag_may_be_given_again_and_cut_short_as_ansible_has_it() {
        let words = "ansible-playbook a.yml -u x -u y --extra a=1 -e b=2 -t p,q --tags r -vvv --inventory-file i";
        let run = AnsiblePlaybook::parse_from(words.split(' ')).run;
        assert_eq!(run.run.user.as_deref(), Some("y"));
        assert_eq!(run.run.extra_vars, ["a=1", "b=2"]);
        assert_eq!(run.tags, ["p", "q", "r"]);
        assert_eq!((run.run.verbose, run.run.inventory.len()), (3, 1));
    }
}
