//! The inventory of a command line: its sources, how they are read, and what is said of bad ones.

use std::path::Path;

use rplay_diag::{Diagnostic, Severity};
use rplay_engine::Library;
use rplay_inventory::{Inventory, Layer, Loaded, Unparsed, With};
use rplay_template::Templar;

use crate::args::RunArgs;
use crate::config::Settings;
use crate::manner::Manner;
use crate::render::Renderer;
use crate::screen::Screen;
use crate::stop::Stop;

/// Where the inventory is read from, and how. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources {
    names: Vec<String>,
    manner: Manner,
    reading: rplay_inventory::Settings,
    templar: Templar,
    extra: Vec<Layer>,
    library: Library,
    /// Nothing is used that was kept of earlier readings.
    fresh: bool,
    any_unparsed_is_failed: bool,
    unparsed_is_failed: bool,
    unparsed_warning: bool,
    localhost_warning: bool,
}

impl Sources {
    /// As arguments and settings say.
    pub(crate) fn new(
        args: &RunArgs,
        settings: &Settings,
        manner: Manner,
        (templar, extra, library): (&Templar, &[Layer], &Library),
    ) -> Self {
        Self {
            names: names(args, settings),
            manner,
            reading: reading(settings),
            templar: templar.clone(),
            extra: extra.to_vec(),
            library: library.clone(),
            fresh: args.flush_cache,
            any_unparsed_is_failed: settings.any_unparsed_is_failed == Some(true),
            unparsed_is_failed: settings.unparsed_is_failed == Some(true),
            unparsed_warning: settings.unparsed_warning != Some(false),
            localhost_warning: settings.localhost_warning != Some(false),
        }
    }

    /// Reads them; what is odd is shown.
    ///
    /// # Errors
    /// A source that cannot be read: under Ansible's names that is a warning, as it is there.
    pub(crate) fn read(&self, screen: &Screen) -> Result<Inventory, Stop> {
        let templar = self.templar.clone();
        let reader = move |path: &Path| templar.read_file(path);
        let with = With {
            reader: &reader,
            render: &Renderer(&self.templar),
            settings: &self.reading,
            extra: &self.extra,
            python: &InPython(self),
        };
        let loaded = rplay_inventory::load(&self.names, &with).map_err(Stop::parse)?;
        loaded
            .warnings
            .iter()
            .for_each(|warning| screen.show(warning));
        for unparsed in &loaded.unparsed {
            self.bad(unparsed, screen)?;
        }
        self.none(&loaded, screen)?;
        Ok(loaded.inventory)
    }

    fn bad(&self, unparsed: &Unparsed, screen: &Screen) -> Result<(), Stop> {
        let source = whole(&unparsed.source);
        if !self.manner.is_ansible() {
            return match &unparsed.why {
                Some((_, why)) => Err(Stop::parse(why.clone())),
                // A folder without a source in it, which may get one.
                None if Path::new(&unparsed.source).is_dir() => Ok(()),
                None => {
                    let words = format!("no inventory plugin that is enabled reads `{source}`");
                    Err(Stop::parse(Diagnostic::error(words)))
                }
            };
        }
        if let Some((plugin, why)) = &unparsed.why
            && !plugin.is_empty()
        {
            let mut warning = why.clone();
            warning.severity = Severity::Warning;
            warning.message = format!(
                "Failed to parse inventory with '{plugin}' plugin: {}",
                why.message
            );
            screen.show(&warning);
        }
        if self.any_unparsed_is_failed {
            let words = format!("Completely failed to parse inventory source {source}");
            return Err(Stop::error(words));
        }
        let words = format!("Unable to parse {source} as an inventory source");
        screen.show(&Diagnostic::warning(words));
        Ok(())
    }

    fn none(&self, loaded: &Loaded, screen: &Screen) -> Result<(), Stop> {
        if loaded.parsed > 0 {
            return Ok(());
        }
        if !self.names.is_empty() && self.unparsed_is_failed {
            return Err(Stop::error(
                "No inventory was parsed, please check your configuration and options.",
            ));
        }
        if self.manner.is_ansible() && self.unparsed_warning {
            let words = "No inventory was parsed, only implicit localhost is available";
            screen.show(&Diagnostic::warning(words));
            if self.localhost_warning && self.manner != Manner::Inventory {
                let words = "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";
                screen.show(&Diagnostic::warning(words));
            }
        }
        Ok(())
    }
}

/// Plugins in Python, of folders and collections.
struct InPython<'a>(&'a Sources);

impl rplay_inventory::InPython for InPython<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.library.has_inventory(name)
    }

    fn read(&self, name: &str, source: &Path, known: &Inventory) -> Option<Result<String, String>> {
        let Sources {
            library, templar, ..
        } = self.0;
        library.inventory(templar, name, source, known, self.0.fresh)
    }
}

/// The sources: arguments, settings, or the usual file.
fn names(args: &RunArgs, settings: &Settings) -> Vec<String> {
    if !args.inventory.is_empty() {
        return args.inventory.clone();
    }
    let usual = "/etc/ansible/hosts";
    settings.inventory.clone().unwrap_or_else(|| {
        let there = Path::new(usual).exists();
        if there {
            vec![usual.to_owned()]
        } else {
            vec![]
        }
    })
}

fn whole(path: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    path.display().to_string()
}

fn reading(settings: &Settings) -> rplay_inventory::Settings {
    let mut reading = rplay_inventory::Settings::default();
    if let Some(names) = &settings.inventory_enabled {
        reading.enable(names);
    }
    if let Some(endings) = &settings.inventory_ignore_extensions {
        reading.ignored_endings.clone_from(endings);
    }
    if let Some(patterns) = &settings.inventory_ignore_patterns {
        reading.ignored.clone_from(patterns);
    }
    if let Some(endings) = &settings.yaml_extensions {
        reading.yaml_endings.clone_from(endings);
    }
    reading.naming = settings.group_names.unwrap_or_default();
    reading.show_stderr = settings.inventory_script_stderr != Some(false);
    reading.use_extra = settings.inventory_extra_vars == Some(true);
    reading
}
