//! Facts of the host, from /proc, /sys, /etc and the kernel.
//!
//! The programs that are run are those whose answer no file has: systemctl and python3 for their version,
//! capsh, lsb_release, and LVM's.

mod confinement;
mod devices;
mod hardware;
mod identity;
mod ini;
mod local;
mod network;
mod release;
mod storage;
mod subset;
mod time;
mod virtualization;

pub(crate) use identity::full_name;

use std::path::{Path, PathBuf};

use rplay_api::{Args, Doc, Host, Module, Outcome, Result, Return};
use serde_json::{Map, Value};
use subset::Subset;

/// The `setup` module.
pub struct This;

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Which facts: `all`, `min`, `hardware`, `network`, `virtual`, `facter`, `ohai`, the name of
    /// one, or any of them with `!`.
    #[arg(default = vec!["all".to_owned()])]
    gather_subset: Vec<String>,
    /// Seconds that gathering may take; here for compatibility.
    #[arg(default = 10_u64)]
    #[expect(dead_code, reason = "nothing here can hang for long")]
    gather_timeout: u64,
    /// Of `gather_facts`: whether its modules run at once. Here it is one module.
    #[arg(name = "parallel")]
    _parallel: Option<bool>,
    /// Only facts whose names match one of these patterns.
    #[arg(default = Vec::new())]
    filter: Vec<String>,
    /// Folder of local facts.
    #[arg(default = "/etc/ansible/facts.d")]
    fact_path: PathBuf,
}

/// Facts by name, without `ansible_`.
type Facts = Map<String, Value>;

impl Module for This {
    type Args = SetupArgs;

    const DOC: Doc = Doc {
        name: "setup",
        aliases: &["gather_facts"],
        summary: "Gathers facts of the host",
        description: "Plays do it by themselves, unless they say `gather_facts: false`.",
        free_form: None,
        examples: "\n- setup:\n    gather_subset: [network]\n- setup:\n    filter: ansible_distribution*\n",
        returns: &[Return { name: "ansible_facts", doc: "the facts, by name" }],
    };

    fn run(args: SetupArgs, host: &Host) -> Result<Outcome> {
        let wants = Subset::new(&args.gather_subset)?;
        let mut facts = Facts::new();
        // Facts say what is there: a part that cannot be read is left out.
        if wants.has_identity() {
            identity::gather(host, &mut facts);
            facts.retain(|name, _| wants.has_fact(name));
        }
        if wants.has("date_time") {
            time::gather(host, &mut facts);
        }
        if wants.has("lsb") {
            release::gather(host, &mut facts);
        }
        if wants.has("caps") {
            confinement::capabilities(host, &mut facts);
        }
        if wants.has("chroot") {
            confinement::chroot(host, &mut facts);
        }
        if wants.has("hardware") {
            hardware::gather(host, &mut facts);
            devices::gather(host, &mut facts);
            storage::lvm(host, &mut facts);
        }
        storage::names(host, &wants, &mut facts);
        if wants.has("loadavg") {
            hardware::load(host, &mut facts);
        }
        if wants.has("network") {
            network::gather(host, &mut facts);
        }
        if wants.has("virtual") {
            virtualization::gather(host, &mut facts);
        }
        let mut unknown = vec![];
        if wants.has("local") {
            unknown = local::gather(host, &args.fact_path, &mut facts);
        }
        // These two tell of the gathering itself, and are no facts of the host.
        let own = [("gather_subset", args.gather_subset.clone().into()), ("module_setup", true.into())];
        let facts = named(facts, own, &args.filter);
        let is_told = facts.contains_key("ansible_local");
        let unknown = unknown.iter().filter(|_| is_told).map(|name| format!("ansible_facts.ansible_local.{name}"));
        let outcome = Outcome::new().changed(false).with("ansible_facts", Value::Object(facts));
        Ok(unknown.fold(outcome, |outcome, path| outcome.unknown(&path)))
    }
}

/// The facts under Ansible's names, those that the filter leaves.
fn named(facts: Facts, own: [(&str, Value); 2], filter: &[String]) -> Facts {
    let patterns: Vec<glob::Pattern> =
        filter.iter().filter_map(|f| glob::Pattern::new(f).ok()).collect();
    let kept = |name: &str| {
        patterns.is_empty()
            || patterns.iter().any(|p| p.matches(name) || p.matches(name.trim_start_matches("ansible_")))
    };
    let named = facts.into_iter().map(|(name, value)| (format!("ansible_{name}"), value));
    let own = own.map(|(name, value)| (name.to_owned(), value));
    named.chain(own).filter(|(name, _)| kept(name)).collect()
}

/// A file's text without its end, empty where it cannot be read.
fn text(host: &Host, path: &str) -> String {
    let bytes = host.read(Path::new(path)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use rplay_api::RealSystem;
    use serde_json::json;

    use super::*;
    use crate::fixture::run;

    fn facts(args: Value) -> Value {
        run::<This>(&RealSystem, args).result.unwrap().data["ansible_facts"].clone()
    }

    #[test]
    fn the_usual_facts_are_there() {
        let facts = facts(json!({}));
        for name in ["distribution", "os_family", "architecture", "kernel", "hostname", "memtotal_mb",
            "processor_vcpus", "date_time", "env", "user_id", "mounts", "service_mgr", "interfaces"] {
            assert!(facts.get(format!("ansible_{name}")).is_some(), "{name}");
        }
    }

    #[test]
    fn a_filter_leaves_what_matches() {
        let facts = facts(json!({"filter": "ansible_dist*"}));
        assert!(facts.as_object().unwrap().keys().all(|k| k.starts_with("ansible_dist")));
    }

    #[test]
    fn a_subset_leaves_the_rest_out() {
        let facts = facts(json!({"gather_subset": ["!all", "network"]}));
        assert_eq!(facts["gather_subset"], json!(["!all", "network"]));
        assert!(facts.get("ansible_memtotal_mb").is_none());
        assert!(facts.get("ansible_interfaces").is_some());
    }
}
