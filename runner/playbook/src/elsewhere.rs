//! Modules of Ansible's world that are not part of rplay: which collection a name is of, so that
//! who calls one is told what it is, and not to look for a slip of the pen.

use crate::task::short;

/// A line is a collection with names that were short once: `NAME`, `NAME=NEW` where it is called
/// otherwise now, `BEGINNING*` for all of that beginning that are not listed.
const NAMES: &str = include_str!("elsewhere.txt");

/// The full name of a module: as it is written, or with the collection that has such a module.
pub fn full_name(module: &str) -> Option<String> {
    let name = short(module);
    if name.contains('.') {
        return Some(name.to_owned());
    }
    let listed = || NAMES.lines().filter_map(|line| line.split_once(": "));
    let of_each = |find: &dyn Fn(&str) -> Option<String>| {
        listed().find_map(|(collection, words)| {
            let found = words.split(' ').find_map(find)?;
            Some(format!("{collection}.{found}"))
        })
    };
    of_each(&|word| {
        let (old, new) = word.split_once('=').unwrap_or((word, word));
        (old == name).then(|| new.to_owned())
    })
    .or_else(|| {
        of_each(&|word| {
            let beginning = word.strip_suffix('*')?;
            name.starts_with(beginning).then(|| name.to_owned())
        })
    })
}

/// Whether a module's full name is in a collection that is listed.
pub(crate) fn is_of_a_known_collection(full: &str) -> bool {
    let Some(end) = full.match_indices('.').nth(1) else {
        return false;
    };
    let listed = NAMES.lines().filter_map(|line| line.split_once(": "));
    listed.into_iter().any(|(known, _)| known == &full[..end.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_known_by_the_two_words_before_the_module() {
        assert!(is_of_a_known_collection("community.general.of_tomorrow"));
        assert!(!is_of_a_known_collection("community.generals.ufw"));
        assert!(!is_of_a_known_collection("wrong.wrong.wrong"));
        assert!(!is_of_a_known_collection("ufw"));
    }

    #[test]
    fn a_modules_collection_is_known_by_its_name_or_the_beginning_of_it() {
        let of = |name| full_name(name);
        assert_eq!(of("ufw").as_deref(), Some("community.general.ufw"));
        assert_eq!(
            of("icinga2_feature").as_deref(),
            Some("community.general.icinga2_feature")
        );
        assert_eq!(
            of("ansible.builtin.win_shell").as_deref(),
            Some("ansible.windows.win_shell")
        );
        assert_eq!(
            of("docker_swarm").as_deref(),
            Some("community.docker.docker_swarm")
        );
        assert_eq!(
            of("docker_of_tomorrow").as_deref(),
            Some("community.docker.docker_of_tomorrow")
        );
        let renamed = Some("community.crypto.x509_certificate");
        assert_eq!(of("openssl_certificate").as_deref(), renamed);
        assert_eq!(of("my.own.thing").as_deref(), Some("my.own.thing"));
        assert_eq!(of("ansible.builtin.coppy"), None);
        assert_eq!(of("coppy"), None);
    }

    #[test]
    fn every_line_is_a_collection_with_names() {
        assert!(NAMES.lines().is_sorted());
        for line in NAMES.lines() {
            let (collection, words) = line.split_once(": ").unwrap();
            assert_eq!(collection.split('.').count(), 2, "{line}");
            assert!(words.split(' ').all(|word| !word.is_empty()), "{line}");
        }
    }
}
