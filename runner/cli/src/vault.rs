//! Vault passwords from the command line.

use std::io;

use rplay_template::vault::VaultKeys;

use crate::args::RunArgs;
use crate::ask;

/// The passwords that the arguments name.
///
/// # Errors
/// A file that cannot be read, or no terminal to ask on.
pub(crate) fn keys(args: &RunArgs) -> io::Result<VaultKeys> {
    let mut keys = vec![];
    if args.ask_vault_pass {
        keys.push((None, ask::password("vault password")?));
    }
    for file in &args.vault_password_file {
        keys.push((None, ask::password_file(file)?));
    }
    for id in &args.vault_id {
        let (name, source) = match id.rsplit_once('@') {
            Some((name, source)) => (Some(name.to_owned()), source),
            None => (None, id.as_str()),
        };
        let password = match source {
            "prompt" | "prompt_ask_vault_pass" => ask::password(&format!(
                "vault password ({})",
                name.as_deref().unwrap_or("default")
            ))?,
            file => ask::password_file(file.as_ref())?,
        };
        keys.push((name, password));
    }
    Ok(VaultKeys::new(keys))
}
