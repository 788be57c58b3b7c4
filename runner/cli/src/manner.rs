//! By what name the program was called: under Ansible's names it speaks and ends as Ansible does.

use std::ffi::OsStr;
use std::path::Path;

/// What the program was called as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `rplay`.
    Rplay,
    /// `ansible-playbook`.
    Playbook,
    /// `ansible`.
    Adhoc,
    /// `ansible-vault`.
    Vault,
    /// `ansible-inventory`.
    Inventory,
    /// `ansible-config`.
    Config,
}

impl Manner {
    /// The manner of this process.
    pub(crate) fn now() -> Self {
        Self::of(std::env::args_os().next().as_deref())
    }

    fn of(program: Option<&OsStr>) -> Self {
        let name = program.and_then(|path| Path::new(path).file_name());
        match name.and_then(OsStr::to_str) {
            Some("ansible-playbook") => Self::Playbook,
            Some("ansible") => Self::Adhoc,
            Some("ansible-vault") => Self::Vault,
            Some("ansible-inventory") => Self::Inventory,
            Some("ansible-config") => Self::Config,
            _ => Self::Rplay,
        }
    }

    /// Whether it is one of Ansible's names.
    pub(crate) fn is_ansible(self) -> bool {
        self != Self::Rplay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_ansibles_name_counts_wherever_it_lies() {
        let of = |path: &str| Manner::of(Some(OsStr::new(path)));
        assert_eq!(of("/opt/bin/ansible-playbook"), Manner::Playbook);
        assert_eq!(of("ansible"), Manner::Adhoc);
        assert_eq!(of("bin/ansible-inventory"), Manner::Inventory);
        assert_eq!(of("./rplay"), Manner::Rplay);
        assert_eq!(of("/opt/ansible/rplay"), Manner::Rplay);
    }
}
