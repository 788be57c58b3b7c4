//! The command line: Ansible's flags, and rplay's own.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Runs Ansible playbooks over SSH; nothing is needed on the hosts.
#[derive(Debug, Parser)]
#[command(name = "rplay", version, about, long_about = None)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(
    after_help = "Exit codes: 0 all well, 1 an error before the run, 2 hosts failed, \
    3 hosts unreachable (7 both), 4 bad playbook or inventory, 5 bad arguments, 130 interrupted. \
    `rplay doc` lists the modules."
)]
pub(crate) struct Cli {
    /// What to do other than run playbooks.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Things to do other than run playbooks.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Documentation of a module, or the list of them.
    Doc {
        /// The module; without it, all are listed.
        module: Option<String>,
        /// All of it as Markdown, for the web pages.
        #[arg(long)]
        markdown: bool,
        /// A JSON schema of tasks, for editors.
        #[arg(long, conflicts_with = "markdown")]
        schema: bool,
    },
}

/// How to run playbooks.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Playbooks, run one after the other.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,

    /// Inventory: a file, a folder, a script, or a list of hosts with a comma. May be repeated.
    #[arg(short, long, value_name = "INVENTORY", env = "ANSIBLE_INVENTORY", value_delimiter = None)]
    pub inventory: Vec<String>,

    /// Only these hosts: a pattern, or @FILE.
    #[arg(short, long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub limit: Option<String>,

    /// Variables: key=value, YAML, JSON, or @FILE. May be repeated.
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,

    /// Only tasks with these tags.
    #[arg(
        short,
        long,
        value_name = "TAGS",
        value_delimiter = ',',
        env = "ANSIBLE_RUN_TAGS"
    )]
    pub tags: Vec<String>,

    /// No tasks with these tags.
    #[arg(
        long,
        value_name = "TAGS",
        value_delimiter = ',',
        env = "ANSIBLE_SKIP_TAGS"
    )]
    pub skip_tags: Vec<String>,

    /// Change nothing; say what would change.
    #[arg(short = 'C', long)]
    pub check: bool,

    /// Show the difference that each change makes.
    #[arg(short = 'D', long)]
    pub diff: bool,

    /// Hosts at a time.
    #[arg(short, long, default_value_t = 100, env = "ANSIBLE_FORKS")]
    pub forks: usize,

    /// Show more; repeat for more still.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// List the hosts, run nothing.
    #[arg(long)]
    pub list_hosts: bool,

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
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,

    /// Read the password to become another user from a file.
    #[arg(long, value_name = "FILE", alias = "become-pass-file")]
    pub become_password_file: Option<PathBuf>,

    /// Log in as this user.
    #[arg(short, long, value_name = "USER", env = "ANSIBLE_REMOTE_USER")]
    pub user: Option<String>,

    /// Ask for the password to log in.
    #[arg(short = 'k', long)]
    pub ask_pass: bool,

    /// Read the password to log in from a file.
    #[arg(long, value_name = "FILE", alias = "conn-pass-file")]
    pub connection_password_file: Option<PathBuf>,

    /// Log in with this key.
    #[arg(
        long,
        alias = "key-file",
        value_name = "FILE",
        env = "ANSIBLE_PRIVATE_KEY_FILE"
    )]
    pub private_key: Option<PathBuf>,

    /// How to reach hosts that say nothing of it: ssh or local.
    #[arg(short, long, value_name = "KIND")]
    pub connection: Option<String>,

    /// Seconds to wait for a connection.
    #[arg(short = 'T', long, value_name = "SECONDS", env = "ANSIBLE_TIMEOUT")]
    pub timeout: Option<u64>,

    /// Options for ssh, such as "-o ProxyJump=bastion".
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,

    /// More options for ssh.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,

    /// Read a vault password from a file (or an executable's output). May be repeated.
    #[arg(
        long,
        value_name = "FILE",
        env = "ANSIBLE_VAULT_PASSWORD_FILE",
        alias = "vault-pass-file"
    )]
    pub vault_password_file: Vec<PathBuf>,

    /// A vault password as ID@FILE or ID@prompt. May be repeated.
    #[arg(long, value_name = "ID@SOURCE")]
    pub vault_id: Vec<String>,

    /// Ask for the vault password.
    #[arg(short = 'J', long, alias = "ask-vault-password")]
    pub ask_vault_pass: bool,

    /// One JSON object an event, instead of text.
    #[arg(long)]
    pub json: bool,

    /// Forget cached facts.
    #[arg(long)]
    pub flush_cache: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_words_of_the_readme_are_understood() {
        let cli = Cli::parse_from([
            "rplay",
            "playbooks/etcd.yml",
            "-i",
            "inventories/staging",
            "-CD",
        ]);
        assert!(cli.run.check && cli.run.diff);
        assert_eq!(cli.run.inventory, ["inventories/staging"]);
    }
}
