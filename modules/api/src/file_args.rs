//! The arguments that every module which makes files has: owner, group, mode and attributes.

use crate::mode::FileMode;

/// Flatten into a module's arguments with `#[arg(flatten)]`, and give to [`crate::Host`].
#[derive(Debug, Clone, Default, crate::Args)]
pub struct FileArgs {
    /// Permissions, as `"0644"` (quote it) or `u=rw,go=r`. Absent: a new file gets what the umask
    /// leaves, an old one keeps its own.
    pub mode: Option<FileMode>,
    /// User that owns it, by name or number.
    pub owner: Option<String>,
    /// Group that owns it, by name or number.
    pub group: Option<String>,
    /// File attributes as chattr takes them, such as `+i`.
    #[arg(alias = "attr")]
    pub attributes: Option<String>,
    /// SELinux user.
    pub seuser: Option<String>,
    /// SELinux role.
    pub serole: Option<String>,
    /// SELinux type.
    pub setype: Option<String>,
    /// SELinux level.
    pub selevel: Option<String>,
    /// Write the file where it is, if it cannot be replaced by a new one (an immutable folder):
    /// whoever reads it meanwhile may see half of it.
    pub unsafe_writes: Option<bool>,
}
