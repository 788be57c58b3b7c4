//! `list`: what is installed, what there is, and what repositories there are.

use rplay_api::{Command, Result};
use serde_json::{Value, json};

use super::{Task, judged};

/// A package's fields, as dnf is asked for them; dnf5 ends no line by itself.
const FIELDS: &str = "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{repoid}\\n";

impl Task<'_> {
    /// Lists what a word or a package's name stands for; nothing is changed.
    pub(super) fn list(&self, what: &str) -> Result<Vec<Value>> {
        if what == "repos" {
            let words = ["repolist", "--enabled", "--quiet"].map(str::to_owned);
            return Ok(repositories(&self.asked(&words)?));
        }
        let query = |words: &[&str]| {
            let query = ["repoquery", "--quiet", "--queryformat", FIELDS];
            let words: Vec<String> = query.iter().chain(words).map(|w| (*w).to_owned()).collect();
            self.asked(&words).map(|said| packages(&said))
        };
        match what {
            "installed" => query(&["--installed"]),
            "available" => query(&["--available"]),
            "updates" | "upgrades" => query(&["--upgrades"]),
            name => Ok([query(&["--installed", name])?, query(&["--available", name])?].concat()),
        }
    }

    fn asked(&self, words: &[String]) -> Result<String> {
        Ok(judged(self.host.run(&self.command(Command::reads, words))?)?.stdout())
    }
}

fn packages(said: &str) -> Vec<Value> {
    let row = |line: &str| {
        let line = line.strip_suffix("\\n").unwrap_or(line);
        let mut fields = line.split('|');
        let mut next = || fields.next().map(str::to_owned);
        let (name, epoch, version) = (next()?, next()?, next()?);
        let (release, arch, repo) = (next()?, next()?, next()?);
        let epoch = if epoch == "(none)" { "0".to_owned() } else { epoch };
        let whole = format!("{name}-{version}-{release}.{arch}");
        // dnf calls what is installed a repository of its own.
        let state = if repo.starts_with('@') { "installed" } else { "available" };
        Some(json!({
            "nevra": format!("{name}-{epoch}:{version}-{release}.{arch}"), "envra": format!("{epoch}:{whole}"),
            "name": name, "epoch": epoch, "version": version, "release": release, "arch": arch,
            "repo": repo, "yumstate": state,
        }))
    };
    said.lines().filter_map(row).collect()
}

fn repositories(said: &str) -> Vec<Value> {
    // The first line names the columns.
    let ids = said.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    ids.map(|id| json!({"repoid": id, "state": "enabled"})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_by_their_fields() {
        let said = "bash|0|5.2.26|3.fc40|x86_64|@System\n\nbash|0|5.2.32|1.fc40|x86_64|updates\\n\n";
        let got = packages(said);
        assert_eq!(got.len(), 2);
        assert_eq!((&got[0]["name"], &got[0]["yumstate"]), (&json!("bash"), &json!("installed")));
        assert_eq!(got[0]["envra"], "0:bash-5.2.26-3.fc40.x86_64");
        assert_eq!((&got[1]["repo"], &got[1]["yumstate"]), (&json!("updates"), &json!("available")));
    }

    #[test]
    fn repositories_stand_below_a_head() {
        let got = repositories("repo id          repo name\nfedora           Fedora 40\nupdates          Updates\n");
        let ids: Vec<_> = got.iter().map(|repo| repo["repoid"].clone()).collect();
        assert_eq!(ids, ["fedora", "updates"]);
    }
}
