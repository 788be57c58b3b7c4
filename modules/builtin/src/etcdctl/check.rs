//! Whether a cluster is well.

use std::collections::BTreeSet;

use rplay_api::{Failure, Result};

use super::answer::{Health, Member, Status, hex};

/// Every member has started, and they are those that are expected.
pub(super) fn members(members: &[Member], expected: Option<&[String]>) -> Result<()> {
    if let Some(waiting) = members.iter().find(|m| m.name.is_empty()) {
        let url = waiting.peer_urls.join(", ");
        return Err(Failure::new(format!("the member `{}` at {url} has not started", hex(waiting.id)))
            .help("start etcd on that host; its journal says why it does not run"));
    }
    let Some(expected) = expected else {
        return Ok(());
    };
    let is = |member: &Member, word: &str| {
        let urls = member.peer_urls.iter().chain(&member.client_urls);
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        member.name == word || urls.map(|u| bare(u)).any(|u| u == bare(word))
    };
    if let Some(missing) = expected.iter().find(|word| !members.iter().any(|m| is(m, word))) {
        let known: Vec<&str> = members.iter().map(|m| m.name.as_str()).collect();
        return Err(Failure::new(format!("the member `{missing}` is missing: there are {}", known.join(", ")))
            .help("look at initial-cluster in its conf.yml: it may have made a cluster of its own"));
    }
    if let Some(extra) = members.iter().find(|m| !expected.iter().any(|word| is(m, word))) {
        return Err(Failure::new(format!("the member `{}` is not expected", extra.name))
            .arg("expect_members")
            .help(format!("remove it with `etcdctl member remove {}`, or add it to the list", hex(extra.id))));
    }
    Ok(())
}

/// Every endpoint answered, all agree on one leader, and none has an alarm.
pub(super) fn statuses(statuses: &[Status], asked: &[String], same_version: bool) -> Result<()> {
    answered(statuses.iter().map(|s| s.endpoint.as_str()), asked, "status")?;
    if let Some(lost) = statuses.iter().find(|s| s.leader == 0) {
        return Err(Failure::new(format!("`{}` knows of no leader", lost.endpoint))
            .help("more than half of the members must run and reach each other"));
    }
    let leaders: BTreeSet<u64> = statuses.iter().map(|s| s.leader).collect();
    let own = statuses.iter().filter(|s| s.is_leader()).map(|s| s.id).collect::<BTreeSet<_>>();
    if leaders.len() > 1 || own.len() > 1 {
        let views: Vec<String> = statuses.iter().map(|s| format!("`{}` says {}", s.endpoint, hex(s.leader))).collect();
        return Err(Failure::new(format!("there is more than one leader: {}", views.join(", ")))
            .help("the endpoints are of different clusters, or an election is under way: ask again"));
    }
    if let Some(ill) = statuses.iter().find(|s| !s.errors.is_empty()) {
        return Err(Failure::new(format!("`{}` reports: {}", ill.endpoint, ill.errors.join(", "))));
    }
    let versions: BTreeSet<&str> = statuses.iter().map(|s| s.version.as_str()).collect();
    if same_version && versions.len() > 1 {
        let each: Vec<String> = statuses.iter().map(|s| format!("`{}` has {}", s.endpoint, s.version)).collect();
        return Err(Failure::new(format!("the members' versions differ: {}", each.join(", ")))
            .help("finish the upgrade, or set require_same_version: false"));
    }
    Ok(())
}

/// Every endpoint answered and is healthy.
pub(super) fn healths(healths: &[Health], asked: &[String]) -> Result<()> {
    let ill: Vec<String> = healths
        .iter()
        .filter(|h| !h.health)
        .map(|h| format!("`{}` is unhealthy: {}", h.endpoint, if h.error.is_empty() { "no reason given" } else { &h.error }))
        .collect();
    if !ill.is_empty() {
        return Err(Failure::new(ill.join("; ")));
    }
    answered(healths.iter().map(|h| h.endpoint.as_str()), asked, "answer")
}

fn answered<'a>(got: impl Iterator<Item = &'a str>, asked: &[String], what: &str) -> Result<()> {
    let got: BTreeSet<&str> = got.collect();
    if let Some(silent) = asked.iter().find(|url| !got.contains(url.as_str())) {
        return Err(Failure::new(format!("there is no {what} from `{silent}`"))
            .help("etcd may not run there: see `journalctl -u etcd` on that host"));
    }
    if got.is_empty() {
        return Err(Failure::new(format!("there is no {what} from any endpoint")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::answer;
    use super::*;

    fn list(names: &[&str]) -> Vec<Member> {
        let member = |(i, name): (usize, &&str)| {
            json!({"ID": i, "name": name, "peerURLs": [format!("https://10.0.0.{i}:2380")],
                   "clientURLs": [format!("https://10.0.0.{i}:2379")]})
        };
        let members: Vec<Value> = names.iter().enumerate().map(member).collect();
        answer::members(&json!({"members": members})).unwrap()
    }

    fn status(views: &[(u64, u64, &str)]) -> Vec<Status> {
        let one = |(id, leader, version): &(u64, u64, &str)| {
            json!({"Endpoint": format!("https://10.0.0.{id}:2379"), "Status": {
                "header": {"cluster_id": 14_841_639_068_965_178_418_u64, "member_id": id},
                "version": version, "dbSize": 20480, "leader": leader, "raftTerm": 2}})
        };
        answer::statuses(&Value::Array(views.iter().map(one).collect())).unwrap()
    }

    fn words(result: Result<()>) -> String {
        result.unwrap_err().msg
    }

    #[test]
    fn expected_members_are_known_by_name_or_url() {
        let all = list(&["a", "b"]);
        let expect = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            members(&all, Some(&words))
        };
        assert_eq!(expect(&["a", "https://10.0.0.1:2380"]), Ok(()));
        assert_eq!(expect(&["https://10.0.0.0:2379/", "b"]), Ok(()));
        assert_eq!(words(expect(&["a", "b", "c"])), "the member `c` is missing: there are a, b");
        assert_eq!(words(expect(&["a"])), "the member `b` is not expected");
    }

    #[test]
    fn a_member_without_a_name_has_not_started() {
        assert_eq!(words(members(&list(&["a", ""]), None)), "the member `1` at https://10.0.0.1:2380 has not started");
    }

    #[test]
    fn one_leader_is_well() {
        let asked = ["https://10.0.0.1:2379".to_owned(), "https://10.0.0.2:2379".to_owned()];
        assert_eq!(statuses(&status(&[(1, 1, "3.5.1"), (2, 1, "3.5.1")]), &asked, true), Ok(()));
    }

    #[test]
    fn no_leader_two_leaders_and_two_versions_are_not() {
        let check = |views: &[(u64, u64, &str)]| words(statuses(&status(views), &[], true));
        assert_eq!(check(&[(1, 0, "3.5.1")]), "`https://10.0.0.1:2379` knows of no leader");
        assert!(check(&[(1, 1, "3.5.1"), (2, 2, "3.5.1")]).starts_with("there is more than one leader"));
        assert!(check(&[(1, 1, "3.5.1"), (2, 1, "3.5.0")]).contains("`https://10.0.0.2:2379` has 3.5.0"));
        assert_eq!(statuses(&status(&[(1, 1, "3.5.1"), (2, 1, "3.5.0")]), &[], false), Ok(()));
    }

    #[test]
    fn a_silent_endpoint_is_named() {
        let asked = ["https://10.0.0.9:2379".to_owned()];
        assert_eq!(words(statuses(&status(&[(1, 1, "x")]), &asked, true)), "there is no status from `https://10.0.0.9:2379`");
    }

    #[test]
    fn an_unhealthy_endpoint_says_why() {
        let answer = json!([{"endpoint": "a", "health": false, "took": "5s", "error": "context deadline exceeded"}]);
        let got = words(healths(&answer::healths(&answer).unwrap(), &[]));
        assert_eq!(got, "`a` is unhealthy: context deadline exceeded");
    }
}
