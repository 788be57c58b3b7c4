//! Owner, group and mode: from a module's arguments to what the system sets.

use std::path::Path;

use super::Host;
use crate::mode::FileMode;
use crate::real::Attributes;
use crate::system::{Attrs, Meta};
use crate::{Failure, FileArgs, Result};

impl Host<'_> {
    /// What a task's owner, group and mode come to, for a file whose present state is `current`
    /// (`None`: it is not there yet, and a symbolic mode starts from 0666 or 0777 less the umask).
    ///
    /// # Errors
    /// An unknown user or group.
    pub fn attrs(&self, args: &FileArgs, current: Option<&Meta>, is_dir: bool) -> Result<Attrs> {
        let fresh = if is_dir { 0o755 } else { 0o644 };
        let mode = args.mode.as_ref().filter(|m| **m != FileMode::Preserve);
        Ok(Attrs {
            mode: mode.map(|m| m.resolve(current.map_or(fresh, |c| c.mode), is_dir)),
            uid: args.owner.as_deref().map(|o| self.uid(o)).transpose()?,
            gid: args.group.as_deref().map(|g| self.gid(g)).transpose()?,
            attributes: args.attributes.clone(),
            unsafe_writes: args.unsafe_writes.unwrap_or_else(|| self.writes_unsafely()),
            ..Attrs::default()
        })
    }

    /// What holds where a task does not say.
    fn writes_unsafely(&self) -> bool {
        let said = self.env("ANSIBLE_UNSAFE_WRITES").unwrap_or_default();
        matches!(
            said.to_lowercase().as_str(),
            "1" | "true" | "yes" | "on" | "y" | "t"
        )
    }

    /// Gives what is at `path` the task's owner, group and mode, where they differ.
    ///
    /// # Errors
    /// Where nothing is there, an unknown user or group, I/O errors.
    pub fn ensure_attrs(&self, path: &Path, args: &FileArgs) -> Result<()> {
        let meta = self
            .lstat(path)?
            .ok_or_else(|| Failure::new(format!("`{}` does not exist", path.display())))?;
        let mut attrs = self.attrs(args, Some(&meta), meta.is_dir())?;
        // It is about content, and none is written here.
        attrs.unsafe_writes = false;
        attrs.mode = attrs.mode.filter(|m| *m != meta.mode && !meta.is_link());
        attrs.uid = attrs.uid.filter(|u| *u != meta.uid);
        attrs.gid = attrs.gid.filter(|g| *g != meta.gid);
        if let Some(text) = &attrs.attributes {
            let wanted = Attributes::parse(text)?;
            let now = self.system.attributes(path);
            if now.is_some_and(|now| wanted.apply(now) == now) {
                attrs.attributes = None;
            }
        }
        if attrs == Attrs::default() {
            return Ok(());
        }
        self.set_attrs(path, &attrs)
    }
}
