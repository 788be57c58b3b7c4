//! The levels of precedence.

/// Where a variable was set; the later level wins. Ansible's own list, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// How a host is reached where no variable says it: the command line's word, then the keywords'.
    Connection,
    /// What holds where nobody says otherwise: `ansible_host` is the host's name.
    Least,
    /// A role's `defaults`.
    RoleDefaults,
    /// Groups' variables in the inventory itself, parents first.
    InventoryGroups,
    /// `group_vars/all`, beside the inventory and beside the playbook.
    AllGroup,
    /// `group_vars` of the other groups beside the inventory, parents first.
    Groups,
    /// `group_vars` of the other groups beside the playbook.
    PlaybookGroups,
    /// The host's variables in the inventory itself, then `host_vars`.
    Host,
    /// Facts.
    Facts,
    /// The play's `vars`.
    Play,
    /// Answers to `vars_prompt`.
    Prompt,
    /// The play's `vars_files`.
    PlayFiles,
    /// A role's `vars`.
    RoleVars,
    /// `vars` of blocks.
    Block,
    /// `vars` of the task.
    Task,
    /// `include_vars`.
    IncludeVars,
    /// `set_fact` and `register`.
    SetFacts,
    /// What a role is called with.
    RoleParams,
    /// What an include is called with.
    IncludeParams,
    /// `-e`.
    Extra,
    /// `item` and what else a loop sets.
    Loop,
    /// What the runner itself sets: `inventory_hostname`, `groups`, ...
    Magic,
}
