//! `--version` as Ansible's programs print it: scripts read its first line.

use std::io::Write;

use crate::config;
use crate::manner::Manner;

/// The release of ansible-core that playbooks are read as, as in `ansible_version`.
const CORE: &str = "2.19.14";

/// Prints it.
pub(crate) fn show(manner: Manner) {
    let name = match manner {
        Manner::Rplay => "rplay",
        Manner::Playbook => "ansible-playbook",
        Manner::Adhoc => "ansible",
        Manner::Vault => "ansible-vault",
        Manner::Inventory => "ansible-inventory",
        Manner::Config => "ansible-config",
    };
    let file = config::load().ok().and_then(|(settings, _)| settings.file);
    let file = file.map_or("None".to_owned(), |path| path.display().to_string());
    let program = std::env::current_exe().unwrap_or_default();
    let text = format!(
        "{name} [core {CORE}]\n  config file = {file}\n  executable location = {}\n  rplay version = {}",
        program.display(),
        env!("CARGO_PKG_VERSION"),
    );
    let _ = writeln!(std::io::stdout(), "{text}");
}
