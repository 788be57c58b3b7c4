//! The arguments of `dnf`, and what they come to as options of the program.

use rplay_api::{Args, Choice};

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
}

/// Arguments of `dnf`.
#[derive(Debug, Args)]
pub struct DnfArgs {
    /// The packages: `foo`, `foo-1.0`, `@group`, a path or an address of an `.rpm`; `*` with
    /// `state: latest` is the whole host.
    #[arg(alias = "pkg", default = Vec::new())]
    pub name: Vec<String>,
    /// Only list: `installed`, `available`, `updates`, `repos`, or a package by its name.
    pub list: Option<String>,
    /// What should be of them: `present`, or `absent` where `autoremove` is given alone.
    pub state: Option<Wanted>,
    /// Fetch the repositories' data first, where it is old.
    #[arg(default = false, alias = "expire-cache")]
    pub update_cache: bool,
    /// Let an earlier version take the place of a later one.
    #[arg(default = false)]
    pub allow_downgrade: bool,
    /// Let packages be removed that stand in the way.
    #[arg(default = false)]
    pub allowerasing: bool,
    /// Remove what was installed for others that are gone.
    #[arg(default = false)]
    pub autoremove: bool,
    /// Take the latest version or fail.
    pub best: Option<bool>,
    /// The opposite of `best`.
    pub nobest: Option<bool>,
    /// With `state: latest`, only updates that fix bugs.
    #[arg(default = false)]
    pub bugfix: bool,
    /// With `state: latest`, only updates for security.
    #[arg(default = false)]
    pub security: bool,
    /// Use what was fetched, and fetch nothing.
    #[arg(default = false)]
    pub cacheonly: bool,
    /// The configuration file.
    pub conf_file: Option<String>,
    /// Ignore the excludes of the configuration: `all`, `main` or a repository.
    pub disable_excludes: Option<String>,
    /// Install packages whose signature is not checked.
    #[arg(default = false)]
    pub disable_gpg_check: bool,
    /// Plugins to leave out.
    #[arg(default = Vec::new())]
    pub disable_plugin: Vec<String>,
    /// Plugins to use.
    #[arg(default = Vec::new())]
    pub enable_plugin: Vec<String>,
    /// Repositories to leave out.
    #[arg(default = Vec::new())]
    pub disablerepo: Vec<String>,
    /// Repositories to use.
    #[arg(default = Vec::new())]
    pub enablerepo: Vec<String>,
    /// Packages to leave out.
    #[arg(default = Vec::new())]
    pub exclude: Vec<String>,
    /// Where downloaded packages go, with `download_only`.
    pub download_dir: Option<String>,
    /// Download and install nothing.
    #[arg(default = false)]
    pub download_only: bool,
    /// Install recommended packages too.
    #[arg(default = true)]
    pub install_weak_deps: bool,
    /// The root to install in.
    #[arg(default = "/")]
    pub installroot: String,
    /// The release to install from.
    pub releasever: Option<String>,
    /// Leave out packages that cannot be installed.
    #[arg(default = false)]
    pub skip_broken: bool,
    /// Refuse repositories whose certificate the target does not trust.
    #[arg(default = true)]
    pub sslverify: bool,
    /// Refuse addresses of packages whose certificate the target does not trust.
    #[arg(default = true)]
    pub validate_certs: bool,
    /// With `state: latest`, install no package that is not there.
    #[arg(default = false)]
    pub update_only: bool,
    /// Which dnf: `auto`, `dnf4` or `dnf5`.
    #[arg(default = "auto")]
    pub use_backend: String,
    /// Taken for compatibility: dnf waits for its lock by itself.
    #[arg(name = "lock_timeout", default = 30i64)]
    pub _lock_timeout: i64,
    /// Taken for compatibility.
    #[arg(name = "install_repoquery", default = true)]
    pub _install_repoquery: bool,
    /// Taken for compatibility: nothing is needed on the target.
    #[arg(name = "auto_install_module_deps", default = true)]
    pub _auto_install_module_deps: bool,
}

impl DnfArgs {
    /// The state, where it is left out too.
    pub fn wanted(&self) -> Wanted {
        let alone = self.autoremove && self.name.is_empty();
        self.state.unwrap_or(if alone { Wanted::Absent } else { Wanted::Present })
    }

    /// The options of the program.
    pub fn options(&self) -> Vec<String> {
        let switches = [
            (self.allowerasing, "--allowerasing"),
            (self.cacheonly, "--cacheonly"),
            (self.disable_gpg_check, "--nogpgcheck"),
            (self.skip_broken, "--skip-broken"),
            (self.download_only, "--downloadonly"),
            (self.best == Some(true), "--best"),
            (self.best == Some(false) || self.nobest == Some(true), "--nobest"),
            (self.bugfix, "--bugfix"),
            (self.security, "--security"),
            (!self.install_weak_deps, "--setopt=install_weak_deps=False"),
            (!self.sslverify || !self.validate_certs, "--setopt=sslverify=False"),
        ];
        let mut words = vec!["-y".to_owned()];
        words.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned()));
        let root = Some(&self.installroot).filter(|root| *root != "/").cloned();
        let values = [
            ("--config", self.conf_file.clone()),
            ("--disableexcludes", self.disable_excludes.clone()),
            ("--downloaddir", self.download_dir.clone()),
            ("--installroot", root),
            ("--releasever", self.releasever.clone()),
        ];
        words.extend(values.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))));
        let lists = [
            ("--disableplugin", &self.disable_plugin),
            ("--enableplugin", &self.enable_plugin),
            ("--disablerepo", &self.disablerepo),
            ("--enablerepo", &self.enablerepo),
            ("--exclude", &self.exclude),
        ];
        for (name, list) in lists {
            words.extend(list.iter().map(|item| format!("{name}={item}")));
        }
        words
    }
}
