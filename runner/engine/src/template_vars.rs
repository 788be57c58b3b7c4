//! The variables that a template file sees of itself: `template_path`, `ansible_managed` and kin.
//!
//! Knows nothing of how a template is rendered.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;
use rplay_template::{LookupIo, Value, Var, Vars};

/// Variables with a few more over them.
#[derive(Debug)]
struct Over {
    own: IndexMap<String, Value>,
    base: Arc<dyn Vars>,
}

impl Vars for Over {
    fn get(&self, name: &str) -> Option<Var> {
        let own = self.own.get(name).cloned().map(Var::Value);
        own.or_else(|| self.base.get(name))
    }

    fn is_set(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.base.is_set(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.base.names();
        names.extend(self.own.keys().cloned());
        names
    }

    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        self.base.io()
    }
}

/// `vars`, and what the template at `path`, asked for as `name`, is told of itself.
pub(crate) fn with_template(
    vars: &Arc<dyn Vars>,
    name: &str,
    path: &Path,
    dest: Option<&str>,
) -> Arc<dyn Vars> {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let meta = path.metadata().ok();
    let text = |text: &str| Value::from(text);
    let uname = rustix::system::uname();
    let own = [
        ("ansible_managed", text("Ansible managed")),
        ("template_host", text(&uname.nodename().to_string_lossy())),
        ("template_path", text(&path.display().to_string())),
        ("template_fullpath", text(&whole.display().to_string())),
        ("template_name", text(name)),
        ("template_destpath", dest.map_or(Value::from(()), text)),
        ("template_uid", meta.as_ref().map_or(Value::from(()), owner)),
        (
            "template_mtime",
            meta.and_then(|m| m.modified().ok())
                .map_or(Value::from(()), |t| text(&moment(t))),
        ),
        ("template_run_date", text(&moment(SystemTime::now()))),
    ];
    let own = own
        .into_iter()
        .filter(|(name, _)| *name != "ansible_managed" || vars.get(name).is_none());
    Arc::new(Over {
        own: own.map(|(k, v)| (k.to_owned(), v)).collect(),
        base: vars.clone(),
    })
}

/// The owner's name, or number where it has none.
fn owner(meta: &Metadata) -> Value {
    let uid = meta.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(uid.as_str())).then(|| name.to_owned())
    });
    name.map_or_else(|| Value::from(meta.uid()), Value::from)
}

/// As Python prints a date and time.
fn moment(time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    let local = time.to_zoned_datetime(jiff::tz::TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}
