//! Rules of the kernel's packet filter, through `iptables` and `ip6tables`.
//!
//! Rules are those of the running kernel: nothing here keeps them over a boot. Whether a rule is
//! there is asked with `--check`, which compares as iptables itself does.

mod filter;
mod rule;

use indexmap::IndexMap;
use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use filter::Filter;
#[cfg(test)]
use rule::words;

/// The `iptables` module.
pub struct This;

/// Arguments of `iptables`. Where a value begins with `!` it means all others.
#[derive(Debug, Args)]
pub struct IptablesArgs {
    /// The chain.
    chain: Option<String>,
    /// The table: `filter`, `nat`, `mangle`, `raw` or `security`.
    #[arg(default = Table::Filter)]
    table: Table,
    /// Whether the rule should be there.
    #[arg(default = State::Present)]
    state: State,
    /// Where a new rule goes: to the end of the chain or its start.
    #[arg(default = Action::Append)]
    action: Action,
    /// The place of a rule that is inserted.
    rule_num: Option<String>,
    /// For which version of IP: `ipv4`, `ipv6` or `both`.
    #[arg(default = Version::Ipv4)]
    ip_version: Version,
    /// Make the chain where it is not there; with state: absent and no rule, delete it.
    #[arg(default = false)]
    chain_management: bool,
    /// Delete all rules of the chain, or of the table.
    #[arg(default = false)]
    flush: bool,
    /// What becomes of packets that no rule of the chain takes.
    policy: Option<String>,
    /// Taken for compatibility: names are never looked up here.
    #[arg(name = "numeric", default = false)]
    _numeric: bool,
    /// Seconds to wait for other runs of iptables.
    wait: Option<String>,
    /// `tcp`, `udp`, `icmp`, `all`, ...
    protocol: Option<String>,
    /// An address or network that packets come from.
    source: Option<String>,
    /// An address or network that they go to.
    destination: Option<String>,
    /// Extensions to match with.
    #[arg(name = "match", default = vec![])]
    matches: Vec<String>,
    /// Flags of TCP: `flags` to look at, and `flags_set` of them that are set.
    tcp_flags: Option<IndexMap<String, Vec<String>>>,
    /// What to do with a packet: `ACCEPT`, `DROP`, a chain, ...
    jump: Option<String>,
    /// The chain to go on with.
    goto: Option<String>,
    /// With jump: TEE, where the copy goes.
    gateway: Option<String>,
    /// With jump: LOG, what the line begins with.
    log_prefix: Option<String>,
    /// With jump: LOG, its level.
    log_level: Option<String>,
    /// The interface that packets come in by.
    in_interface: Option<String>,
    /// The interface that they go out by.
    out_interface: Option<String>,
    /// Second and further fragments only.
    fragment: Option<String>,
    /// The counters of a new rule: packets and bytes.
    set_counters: Option<String>,
    /// A port or range (`8000:8100`) that packets come from.
    source_port: Option<String>,
    /// A port or range that they go to.
    destination_port: Option<String>,
    /// Several ports that they go to.
    #[arg(default = vec![])]
    destination_ports: Vec<String>,
    /// With jump: REDIRECT, the port that packets go to instead.
    to_ports: Option<String>,
    /// With jump: DNAT, the address that they go to instead.
    to_destination: Option<String>,
    /// With jump: SNAT, the address that they come from instead.
    to_source: Option<String>,
    /// First packets of connections of TCP: `match`, `negate` or `ignore`.
    #[arg(default = Syn::Ignore)]
    syn: Syn,
    /// A DSCP mark to set.
    set_dscp_mark: Option<String>,
    /// The class of a DSCP mark to set.
    set_dscp_mark_class: Option<String>,
    /// A comment.
    comment: Option<String>,
    /// States of the connection: `NEW`, `ESTABLISHED`, ...
    #[arg(default = vec![])]
    ctstate: Vec<String>,
    /// A range of addresses that packets come from.
    src_range: Option<String>,
    /// A range of addresses that they go to.
    dst_range: Option<String>,
    /// A set of ipset.
    match_set: Option<String>,
    /// What of a packet is looked up in it: `src`, `dst`, `src,dst`, ...
    match_set_flags: Option<String>,
    /// How many packets the rule takes at most: `5/second`.
    limit: Option<String>,
    /// How many at once, before that.
    limit_burst: Option<String>,
    /// The user that sends them.
    uid_owner: Option<String>,
    /// The group that sends them.
    gid_owner: Option<String>,
    /// The answer that refuses a packet; means jump: REJECT.
    reject_with: Option<String>,
    /// The type of ICMP.
    icmp_type: Option<String>,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Table {
    /// Packets of this host.
    Filter,
    /// Addresses.
    Nat,
    /// Changes of packets.
    Mangle,
    /// Before connections are tracked.
    Raw,
    /// Mandatory access control.
    Security,
}

/// Whether the rule should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

/// Where a new rule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Action {
    /// To the end.
    Append,
    /// To the start, or a place of its own.
    Insert,
}

/// Versions of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Version {
    /// 4.
    Ipv4,
    /// 6.
    Ipv6,
    /// Both.
    Both,
}

/// First packets of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Syn {
    /// All packets.
    Ignore,
    /// Only them.
    Match,
    /// All but them.
    Negate,
}

impl Module for This {
    type Args = IptablesArgs;

    const DOC: Doc = Doc {
        name: "iptables",
        aliases: &[],
        summary: "Makes sure that a rule of the packet filter is there, or is not",
        description: "The rules are those of the running kernel. A rule that refuses SSH shuts \
            rplay out as well.",
        free_form: None,
        examples: r#"
- name: Connections that are there go on
  iptables:
    chain: INPUT
    ctstate: [ESTABLISHED, RELATED]
    jump: ACCEPT

- name: SSH
  iptables:
    chain: INPUT
    protocol: tcp
    destination_port: "22"
    ctstate: NEW
    jump: ACCEPT
    comment: SSH

- name: All else is dropped
  iptables:
    chain: INPUT
    policy: DROP
"#,
        returns: &[
            Return { name: "rule", doc: "The rule, in iptables' words." },
            Return { name: "chain", doc: "The chain." },
            Return { name: "table", doc: "The table." },
            Return { name: "ip_version", doc: "The version of IP." },
            Return { name: "state", doc: "Whether the rule should be there." },
            Return { name: "flush", doc: "Whether rules were flushed." },
        ],
    };

    fn run(args: IptablesArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let programs: &[&str] = match args.ip_version {
            Version::Ipv4 => &["iptables"],
            Version::Ipv6 => &["ip6tables"],
            Version::Both => &["iptables", "ip6tables"],
        };
        let mut shown = String::new();
        for program in programs {
            let filter = Filter { program, args: &args, host };
            shown = filter.ensure()?;
        }
        Ok(Outcome::new()
            .with("rule", shown)
            .with("chain", args.chain)
            .with("table", args.table.word())
            .with("ip_version", args.ip_version.word())
            .with("state", args.state.word())
            .with("flush", args.flush)
            .with("chain_management", args.chain_management))
    }
}

impl IptablesArgs {
    fn check(&self) -> Result<()> {
        let wrong = |arg: &str, why: &str| Err(Failure::new(why).arg(arg));
        if self.chain.is_none() && !self.flush {
            return Err(Failure::missing("chain"));
        }
        if self.chain.as_ref().is_some_and(|c| c.is_empty() || c.starts_with('-')) {
            return wrong("chain", "that is no name of a chain");
        }
        if self.rule_num.is_some() && self.action != Action::Insert {
            return wrong("rule_num", "`rule_num` needs action: insert");
        }
        if self.set_dscp_mark.is_some() && self.set_dscp_mark_class.is_some() {
            return wrong("set_dscp_mark_class", "`set_dscp_mark` and `set_dscp_mark_class` exclude each other");
        }
        if self.flush && self.policy.is_some() {
            return wrong("policy", "`flush` and `policy` exclude each other");
        }
        if self.match_set.is_some() != self.match_set_flags.is_some() {
            return wrong("match_set", "`match_set` and `match_set_flags` need each other");
        }
        let logs = self.log_prefix.is_some() || self.log_level.is_some();
        if logs && self.jump.as_deref().is_some_and(|jump| jump != "LOG") {
            return wrong("jump", "`log_prefix` and `log_level` need jump: LOG");
        }
        if let Some(policy) = &self.policy
            && !matches!(policy.as_str(), "ACCEPT" | "DROP" | "QUEUE" | "RETURN")
        {
            return wrong("policy", "it is one of `ACCEPT`, `DROP`, `QUEUE`, `RETURN`");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
