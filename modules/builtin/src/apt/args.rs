//! The arguments of `apt`, and what they come to as options of apt-get.

use std::time::Duration;

use rplay_api::{Args, Choice, Failure, Host, Result};

use crate::apt_get::AptGet;
use crate::apt_get::lists::ListArgs;

/// What should be of the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Wanted {
    /// They are installed.
    #[arg(alias = "installed")]
    Present,
    /// They are not.
    #[arg(alias = "removed")]
    Absent,
    /// They are installed, in the latest version.
    Latest,
    /// What is needed to build them is installed.
    #[arg(name = "build-dep")]
    BuildDep,
    /// What is broken is set right.
    Fixed,
}

/// How much is upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Upgrade {
    /// Nothing.
    #[arg(alias = "false")]
    No,
    /// What can be without removing anything.
    #[arg(alias = "true")]
    Yes,
    /// As `yes`.
    Safe,
    /// Everything, even where packages must go for it.
    Full,
    /// As `full`.
    Dist,
}

/// Arguments of `apt`.
#[derive(Debug, Args)]
pub struct AptArgs {
    /// The packages: `foo`, with a version `foo=1.0`, `foo=1.0*` or `foo>=1.0`, of a release
    /// `foo/stable-backports`, or a pattern such as `foo-*`.
    #[arg(alias = "package", alias = "pkg", default = Vec::new())]
    pub name: Vec<String>,
    /// What should be of them.
    #[arg(default = Wanted::Present)]
    pub state: Wanted,
    /// A package in a file: a path on the target, or an address.
    pub deb: Option<String>,
    /// Upgrade the whole host: `yes` and `safe` remove nothing, `full` and `dist` may.
    #[arg(default = Upgrade::No)]
    pub upgrade: Upgrade,
    /// Fetch apt's package lists first.
    #[arg(alias = "update-cache")]
    pub update_cache: Option<bool>,
    /// Fetch them only where they are older than that, in seconds; implies `update_cache`.
    #[arg(default = 0u64)]
    pub cache_valid_time: u64,
    /// How a fetch is tried again.
    #[arg(flatten)]
    pub lists: ListArgs,
    /// Remove configuration too, with `state: absent` or `autoremove`.
    #[arg(default = false)]
    pub purge: bool,
    /// Remove what was installed for others that are gone: after the packages, or by itself.
    #[arg(default = false)]
    pub autoremove: bool,
    /// Remove downloaded packages that no source has any more.
    #[arg(default = false)]
    pub autoclean: bool,
    /// Remove all downloaded packages.
    #[arg(default = false)]
    pub clean: bool,
    /// The release to prefer (`apt-get -t`).
    #[arg(alias = "default-release")]
    pub default_release: Option<String>,
    /// Install recommended packages too; apt's own setting where absent.
    #[arg(alias = "install-recommends")]
    pub install_recommends: Option<bool>,
    /// Options of dpkg, separated by commas.
    #[arg(default = "force-confdef,force-confold")]
    pub dpkg_options: String,
    /// Change packages though they are on hold.
    #[arg(default = false)]
    pub allow_change_held_packages: bool,
    /// Replace a later version by an earlier one.
    #[arg(default = false, alias = "allow-downgrade", alias = "allow_downgrades", alias = "allow-downgrades")]
    pub allow_downgrade: bool,
    /// Install packages whose signature cannot be checked.
    #[arg(default = false, alias = "allow-unauthenticated")]
    pub allow_unauthenticated: bool,
    /// All that the `allow_` arguments allow, and the removal of essential packages: dangerous.
    #[arg(default = false)]
    pub force: bool,
    /// Upgrade packages that are installed, and install no others.
    #[arg(default = false)]
    pub only_upgrade: bool,
    /// Fail where packages would be removed.
    #[arg(default = false)]
    pub fail_on_autoremove: bool,
    /// Seconds to wait for another apt or dpkg to end.
    #[arg(default = 60u64)]
    pub lock_timeout: u64,
    /// While packages are set up, services are answered with this code: 101 keeps them from being
    /// started.
    pub policy_rc_d: Option<i32>,
    /// Taken for compatibility: apt-get is always used.
    #[arg(name = "force_apt_get", default = false)]
    pub _force_apt_get: bool,
    /// Taken for compatibility: nothing is needed on the target.
    #[arg(name = "auto_install_module_deps", default = true)]
    pub _auto_install_module_deps: bool,
}

impl AptArgs {
    /// Refuses what does not go together.
    pub fn check(&self) -> Result<()> {
        let tasks = [
            ("name", !self.name.is_empty()),
            ("deb", self.deb.is_some()),
            ("upgrade", self.upgrade != Upgrade::No),
        ];
        let given: Vec<_> = tasks.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        if let [first, second, ..] = given[..] {
            return Err(Failure::new(format!("`{first}` and `{second}` do not go together"))
                .arg(second)
                .help("make two tasks of them"));
        }
        let other = self.autoremove || self.autoclean || self.clean || self.wants_lists();
        if given.is_empty() && !other && self.state != Wanted::Fixed {
            return Err(Failure::new("there is nothing to do").help(
                "give `name`, `deb`, `upgrade`, `update_cache`, `autoremove`, `autoclean` or `clean`",
            ));
        }
        Ok(())
    }

    /// Whether the lists are to be fetched where they are old.
    pub fn wants_lists(&self) -> bool {
        self.update_cache.unwrap_or(self.cache_valid_time > 0)
    }

    /// apt-get with the task's options.
    pub fn apt_get(&self, host: &Host) -> Result<AptGet> {
        let mut apt = AptGet::of(host, Duration::from_secs(self.lock_timeout))?;
        for option in self.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty()) {
            apt.option(["-o".to_owned(), format!("Dpkg::Options::=--{option}")]);
        }
        if let Some(release) = &self.default_release {
            apt.option(["-t", release]);
        }
        match self.install_recommends {
            Some(true) => apt.option(["-o", "APT::Install-Recommends=yes"]),
            Some(false) => apt.option(["--no-install-recommends"]),
            None => {}
        }
        let switches = [
            (self.allow_change_held_packages || self.force, "--allow-change-held-packages"),
            (self.allow_downgrade || self.force, "--allow-downgrades"),
            (self.allow_unauthenticated || self.force, "--allow-unauthenticated"),
            (self.force, "--allow-remove-essential"),
            (self.fail_on_autoremove, "--no-remove"),
            (self.autoremove, "--auto-remove"),
            (self.purge, "--purge"),
        ];
        apt.option(switches.into_iter().filter(|(on, _)| *on).map(|(_, word)| word));
        Ok(apt)
    }
}
