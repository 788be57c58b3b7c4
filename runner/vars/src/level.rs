//! The levels of precedence.

/// Where a variable was set; the later level wins. Ansible's own list, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A role's `defaults`.
    RoleDefaults,
    /// What the inventory itself says of groups, `all` first, then parents before children.
    InventoryGroups,
    /// `group_vars/all`, the inventory's and then the playbook's.
    AllGroup,
    /// `group_vars` of the other groups, the inventory's and then the playbook's.
    Groups,
    /// The inventory's and `host_vars`' variables of the host.
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
