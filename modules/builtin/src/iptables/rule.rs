//! A rule in the words of iptables: first what it takes, then what becomes of it.

use super::{IptablesArgs, Syn};

/// Collects words.
struct Words {
    words: Vec<String>,
    /// Extensions that are named already.
    matches: Vec<String>,
}

/// The rule of a task; empty where it says nothing of one.
pub(super) fn words(args: &IptablesArgs, is_v6: bool) -> Vec<String> {
    let mut rule = Words { words: vec![], matches: vec![] };
    rule.put("-p", args.protocol.as_deref());
    rule.put("-s", args.source.as_deref());
    rule.put("-d", args.destination.as_deref());
    rule.put("-i", args.in_interface.as_deref());
    rule.put("-o", args.out_interface.as_deref());
    rule.put_fragment(args.fragment.as_deref());
    for name in &args.matches {
        rule.extension(name);
    }
    rule.put_tcp(args);
    rule.put_ports(args);
    rule.put(if is_v6 { "--icmpv6-type" } else { "--icmp-type" }, args.icmp_type.as_deref());
    rule.put_extensions(args);
    rule.put_target(args);
    rule.words
}

impl Words {
    fn push(&mut self, words: &[&str]) {
        self.words.extend(words.iter().map(ToString::to_string));
    }

    /// A flag with its value; `!` before the value goes before the flag.
    fn put(&mut self, flag: &str, value: Option<&str>) {
        let Some(value) = value.map(str::trim).filter(|v| !v.is_empty()) else {
            return;
        };
        match value.strip_prefix('!') {
            Some(other) => self.push(&["!", flag, other.trim()]),
            None => self.push(&[flag, value]),
        }
    }

    fn put_fragment(&mut self, value: Option<&str>) {
        match value.map(|v| v.trim().to_lowercase()).as_deref() {
            None | Some("" | "no" | "false") => {}
            Some(v) if v.starts_with('!') => self.push(&["!", "-f"]),
            Some(_) => self.push(&["-f"]),
        }
    }

    fn extension(&mut self, name: &str) {
        if !self.matches.iter().any(|m| m == name) {
            self.push(&["-m", name]);
            self.matches.push(name.to_owned());
        }
    }

    /// A flag of an extension.
    fn put_in(&mut self, extension: &str, flag: &str, value: Option<&str>) {
        if value.is_some_and(|v| !v.trim().is_empty()) {
            self.extension(extension);
            self.put(flag, value);
        }
    }

    fn put_tcp(&mut self, args: &IptablesArgs) {
        if let Some(flags) = &args.tcp_flags {
            let list = |key: &str| flags.get(key).map(|f| f.join(",")).unwrap_or_default();
            self.push(&["--tcp-flags", &list("flags"), &list("flags_set")]);
        }
        match args.syn {
            Syn::Ignore => {}
            Syn::Match => self.push(&["--syn"]),
            Syn::Negate => self.push(&["!", "--syn"]),
        }
    }

    fn put_ports(&mut self, args: &IptablesArgs) {
        self.put("--source-port", args.source_port.as_deref());
        self.put("--destination-port", args.destination_port.as_deref());
        let ports = args.destination_ports.join(",");
        self.put_in("multiport", "--dports", Some(&ports));
    }

    fn put_extensions(&mut self, args: &IptablesArgs) {
        let states = args.ctstate.join(",");
        // An old name of the extension has an old name of the flag.
        if self.matches.iter().any(|m| m == "state") {
            self.put("--state", Some(&states));
        } else {
            self.put_in("conntrack", "--ctstate", Some(&states));
        }
        self.put_in("iprange", "--src-range", args.src_range.as_deref());
        self.put_in("iprange", "--dst-range", args.dst_range.as_deref());
        if let (Some(set), Some(flags)) = (&args.match_set, &args.match_set_flags) {
            self.put_in("set", "--match-set", Some(set));
            self.push(&[flags]);
        }
        self.put_in("limit", "--limit", args.limit.as_deref());
        self.put_in("limit", "--limit-burst", args.limit_burst.as_deref());
        self.put_in("owner", "--uid-owner", args.uid_owner.as_deref());
        self.put_in("owner", "--gid-owner", args.gid_owner.as_deref());
        if let Some(comment) = &args.comment {
            self.extension("comment");
            self.push(&["--comment", comment]);
        }
        if let Some(counters) = &args.set_counters {
            let counters = counters.replace(',', " ");
            self.push(&["-c"]);
            self.words.extend(counters.split_whitespace().map(str::to_owned));
        }
    }

    fn put_target(&mut self, args: &IptablesArgs) {
        let dscp = args.set_dscp_mark.is_some() || args.set_dscp_mark_class.is_some();
        let logs = args.log_prefix.is_some() || args.log_level.is_some();
        let implied = match () {
            () if args.reject_with.is_some() => Some("REJECT"),
            () if dscp => Some("DSCP"),
            () if logs => Some("LOG"),
            () => None,
        };
        self.put("-j", args.jump.as_deref().or(implied));
        self.put("-g", args.goto.as_deref());
        let options = [
            ("--gateway", &args.gateway),
            ("--log-prefix", &args.log_prefix),
            ("--log-level", &args.log_level),
            ("--to-destination", &args.to_destination),
            ("--to-source", &args.to_source),
            ("--to-ports", &args.to_ports),
            ("--set-dscp", &args.set_dscp_mark),
            ("--set-dscp-class", &args.set_dscp_mark_class),
            ("--reject-with", &args.reject_with),
        ];
        for (flag, value) in options {
            if let Some(value) = value {
                self.push(&[flag, value]);
            }
        }
    }
}
