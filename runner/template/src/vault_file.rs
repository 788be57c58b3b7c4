//! Files of the controller that are vaults: opened, and what is in them kept from sight.

use std::path::Path;

use rplay_diag::Source;
use rplay_yaml::{Kind, Node};

use crate::templar::{Templar, is_template};
use crate::vault;

impl Templar {
    /// The content of a file, opened where it is a vault; none where it is no vault.
    ///
    /// # Errors
    /// Where no password opens it, in words.
    pub fn open_vault_file(&self, content: &[u8], path: &Path) -> Result<Option<Vec<u8>>, String> {
        let text = std::str::from_utf8(content).ok();
        let Some(text) = text.filter(|text| vault::is_vault(text)) else {
            return Ok(None);
        };
        if self.vault_keys().is_empty() {
            // Ansible's words: playbooks look for them in `result.msg`.
            return Err(format!(
                "the file is a vault. A vault password or secret must be specified to decrypt {}",
                path.display()
            ));
        }
        let opened = self.vault_keys().open(text);
        let (plain, _) = opened.map_err(|why| format!("the vault `{}`: {why}", path.display()))?;
        if let Ok(text) = std::str::from_utf8(&plain) {
            self.redactor().register(text);
        }
        Ok(Some(plain))
    }

    /// A text file of the controller, opened where it is a vault.
    ///
    /// # Errors
    /// I/O errors, and a vault that no password opens.
    pub fn read_file(&self, path: &Path) -> std::io::Result<String> {
        self.opened(std::fs::read_to_string(path)?)
    }

    /// The text of a file, opened where it is a vault.
    ///
    /// # Errors
    /// A vault that no password opens.
    pub fn opened(&self, text: String) -> std::io::Result<String> {
        if !vault::is_vault(&text) {
            return Ok(text);
        }
        let plain = self
            .vault_keys()
            .decrypt(&text)
            .map_err(std::io::Error::other)?;
        self.hide(&plain);
        Ok(plain)
    }

    /// Every text value of a vault that holds variables is a secret, as one written with `!vault` is.
    fn hide(&self, plain: &str) {
        let source = Source::new("vault", plain);
        if let Ok(loaded) = rplay_yaml::load(&source) {
            let root = loaded.root(&source);
            if root.as_map().is_some() {
                self.hide_values(&root);
            }
        }
    }

    fn hide_values(&self, node: &Node) {
        match &node.kind {
            // A template shows what it is made of, which is hidden where that is secret.
            Kind::Str(text) | Kind::Unsafe(text) if !is_template(text) => {
                self.redactor().register(text);
            }
            Kind::Seq(items) => items.iter().for_each(|item| self.hide_values(item)),
            Kind::Map(map) => map.values().for_each(|value| self.hide_values(value)),
            _ => {}
        }
    }
}
