use std::os::unix::fs::PermissionsExt;

use rplay_api::{Args, Overlay, RealSystem, System};
use serde_json::{Value, json};

use super::{IptablesArgs, This, words};
use crate::fixture::{Fixture, Ran, run};

fn rule(args: Value) -> String {
    words(&IptablesArgs::parse(args.as_object().unwrap()).unwrap(), false).join(" ")
}

#[test]
fn a_rule_is_said_in_the_words_of_iptables() {
    let cases = [
        (json!({"source": "8.8.8.8", "jump": "DROP"}), "-s 8.8.8.8 -j DROP"),
        (
            json!({"table": "nat", "in_interface": "eth0", "protocol": "tcp", "match": "tcp",
                   "destination_port": 80, "jump": "REDIRECT", "to_ports": 8600, "comment": "a b"}),
            "-p tcp -i eth0 -m tcp --destination-port 80 -m comment --comment a b -j REDIRECT --to-ports 8600",
        ),
        (json!({"ctstate": "ESTABLISHED,RELATED", "jump": "ACCEPT"}), "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
        (json!({"match": ["state"], "ctstate": ["NEW"], "jump": "ACCEPT"}), "-m state --state NEW -j ACCEPT"),
        (json!({"source": "!10.0.0.0/8", "uid_owner": "! root"}), "! -s 10.0.0.0/8 -m owner ! --uid-owner root"),
        (json!({"protocol": "tcp", "reject_with": "tcp-reset"}), "-p tcp -j REJECT --reject-with tcp-reset"),
        (json!({"protocol": "tcp", "destination_ports": [80, "443", "8000:8010"]}), "-p tcp -m multiport --dports 80,443,8000:8010"),
        (json!({"protocol": "tcp", "syn": "negate", "tcp_flags": {"flags": "ALL", "flags_set": ["ACK", "SYN"]}}), "-p tcp --tcp-flags ALL ACK,SYN ! --syn"),
        (json!({"src_range": "1.1.1.1-1.1.1.2", "dst_range": "2.2.2.1-2.2.2.2"}), "-m iprange --src-range 1.1.1.1-1.1.1.2 --dst-range 2.2.2.1-2.2.2.2"),
        (json!({"match_set": "admins", "match_set_flags": "src"}), "-m set --match-set admins src"),
        (json!({"limit": "2/minute", "limit_burst": 20, "log_prefix": "x: "}), "-m limit --limit 2/minute --limit-burst 20 -j LOG --log-prefix x: "),
        (json!({"set_dscp_mark_class": "CS1"}), "-j DSCP --set-dscp-class CS1"),
        (json!({}), ""),
    ];
    for (mut args, want) in cases {
        args["chain"] = "INPUT".into();
        assert_eq!(rule(args), want);
    }
}

/// An iptables of one chain, whose rules are the lines of a file.
const IPTABLES: &str = r#"#!/bin/sh
file=$(dirname "$0")/rules; touch "$file"; shift 2; act=$1; chain=$2; shift 2 2>/dev/null || shift
case "$act" in
    -C) grep -qxF -- "$*" "$file" || { echo 'iptables: Bad rule (does a matching rule exist in that chain?).' >&2; exit 1; };;
    -A) echo "$*" >> "$file";;
    -D) grep -vxF -- "$*" "$file" > "$file.new"; mv "$file.new" "$file";;
    -S) echo "-P INPUT ACCEPT"; sed 's/^/-A INPUT /' "$file";;
    -F) : > "$file";;
esac
"#;

fn on(system: &dyn System, dir: &std::path::Path, mut args: Value) -> Ran {
    args["chain"] = "INPUT".into();
    let path = format!("{}:/usr/bin:/bin", dir.display());
    Fixture::new(system).env("PATH", &path).run::<This>(args)
}

#[test]
fn a_dry_run_knows_rules_and_what_it_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("iptables");
    std::fs::write(&program, IPTABLES).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let accept = json!({"protocol": "tcp", "jump": "ACCEPT"});
    let real = |args: Value| on(&RealSystem, dir.path(), args);
    let overlay = Overlay::new(std::sync::Arc::new(RealSystem));
    let dry = |args: Value| on(&overlay, dir.path(), args);
    let (planned, made) = (dry(accept.clone()), real(accept.clone()));
    assert_eq!((planned.changes.len(), &planned.changes), (1, &made.changes));
    assert_eq!(made.result.unwrap().data["rule"], "-p tcp -j ACCEPT");
    assert_eq!(real(accept.clone()).changes, []);
    assert_eq!(dry(accept.clone()).changes, []);
    let other = json!({"protocol": "udp", "jump": "ACCEPT"});
    real(other.clone());
    assert_eq!(dry(json!({"flush": true})).changes.len(), 1);
    assert_eq!(dry(json!({"flush": true})).changes, []);
    assert_eq!(dry(accept.clone()).changes.len(), 1);
    assert_eq!(dry(json!({"flush": true})).changes.len(), 1);
    assert_eq!(dry(other.clone()).changes.len(), 1);
    assert_eq!(dry(json!({"policy": "ACCEPT"})).changes, []);
    assert_eq!(dry(json!({"policy": "DROP"})).changes.len(), 1);
    let mut gone = other.clone();
    gone["state"] = "absent".into();
    assert_eq!(real(gone.clone()).changes.len(), 1);
    assert_eq!(real(gone).changes, []);
}

#[test]
fn what_makes_no_rule_is_refused() {
    for (args, at) in [
        (json!({"jump": "DROP"}), "chain"),
        (json!({"chain": "INPUT"}), "chain"),
        (json!({"chain": "INPUT", "rule_num": 1, "jump": "DROP"}), "rule_num"),
        (json!({"chain": "INPUT", "match_set": "x"}), "match_set"),
        (json!({"chain": "INPUT", "policy": "REJECT"}), "policy"),
        (json!({"chain": "INPUT", "log_prefix": "x", "jump": "DROP"}), "jump"),
    ] {
        let got = run::<This>(&Overlay::empty(), args).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some(at));
    }
}
