//! Plays, blocks, tasks and roles, as the engine runs them.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Map, Node};

use crate::keyword::{Keyword, Keywords};

/// A play.
#[derive(Debug, Clone)]
pub struct Play {
    /// What it is given.
    pub keywords: Keywords,
    /// Its `hosts`.
    pub hosts: Node,
    /// Tasks before the roles.
    pub pre_tasks: Vec<Item>,
    /// Its roles, each a block.
    pub roles: Vec<Item>,
    /// Its tasks.
    pub tasks: Vec<Item>,
    /// Tasks at the end.
    pub post_tasks: Vec<Item>,
    /// Its handlers; those of its roles come with the roles.
    pub handlers: Vec<Item>,
    /// Folder of the playbook.
    pub dir: PathBuf,
    /// The playbook.
    pub file: PathBuf,
    /// Keywords of the `import_playbook`s that brought it in, outermost first: vars, tags, when.
    pub imports: Vec<Keywords>,
    /// Where it is written.
    pub span: Span,
}

impl Play {
    /// Its name, as written; else its hosts.
    pub fn name(&self) -> String {
        let name = self.keywords.get(Keyword::Name).and_then(Node::as_str);
        name.map_or_else(
            || match self.hosts.as_seq() {
                Some(items) => items
                    .iter()
                    .map(crate::keyword::plain_text)
                    .collect::<Vec<_>>()
                    .join(","),
                None => crate::keyword::plain_text(&self.hosts),
            },
            str::to_owned,
        )
    }
}

/// A step of a play.
#[derive(Debug, Clone)]
pub enum Item {
    /// A task.
    Task(Arc<Task>),
    /// A block, import or role.
    Block(Arc<Block>),
}

/// Tasks that share keywords; also what an import or a role became.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it is given; tasks inherit it.
    pub keywords: Keywords,
    /// What it was.
    pub origin: Origin,
    /// Its steps.
    pub items: Vec<Item>,
    /// Steps for a host on which one failed.
    pub rescue: Vec<Item>,
    /// Steps for every host at its end.
    pub always: Vec<Item>,
    /// Where it is written.
    pub span: Span,
}

/// What a block was in the playbook.
#[derive(Debug, Clone)]
pub enum Origin {
    /// `block:`.
    Plain,
    /// `import_tasks`.
    Import,
    /// `include_tasks`, with the variables that it was called with.
    Include(Arc<Map>),
    /// A role, from `roles:`, `import_role`, `include_role` or a dependency.
    Role(Arc<Role>),
}

/// Who sees a role's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Public {
    /// The call says so (`public`).
    Said(bool),
    /// Nothing is said, and the role is part of the play from its start (`roles`, `import_role`).
    Static,
    /// Nothing is said, and the role comes in while the play runs (`include_role`).
    Dynamic,
}

impl Public {
    /// Whether the whole play sees them; `private` is what `private_role_vars` says, if anything.
    pub fn is_so(self, private: Option<bool>) -> bool {
        match (self, private) {
            (Self::Said(public), _) => public,
            (_, Some(private)) => !private,
            (Self::Static, None) => true,
            (Self::Dynamic, None) => false,
        }
    }
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `namespace.collection`, where it belongs to one.
    pub collection: Option<String>,
    /// Its folder.
    pub path: PathBuf,
    /// Its defaults.
    pub defaults: Arc<Map>,
    /// Its variables.
    pub vars: Arc<Map>,
    /// What it was called with besides keywords.
    pub params: Arc<Map>,
    /// The roles that it depends on, those that they depend on before them: it sees their
    /// variables.
    pub dependencies: Vec<Arc<Role>>,
    /// Its handlers.
    pub handlers: Vec<Item>,
    /// `meta/argument_specs.yml`, for the entry point.
    pub argument_spec: Option<Node>,
    /// Whether its variables are seen outside of it.
    pub public: Public,
    /// What it has in common with a call that does the same: its folder and parameters.
    pub identity: String,
    /// Whether it is passed over on a host where the same ran in this play already.
    pub once: bool,
}

impl Role {
    /// Whether the item is a role that it depends on.
    pub fn depends_on(&self, item: &Item) -> bool {
        let Item::Block(block) = item else {
            return false;
        };
        match &block.origin {
            Origin::Role(role) => self
                .dependencies
                .iter()
                .any(|needed| Arc::ptr_eq(needed, role)),
            _ => false,
        }
    }

    /// Its name, behind the collection that it belongs to.
    pub fn full_name(&self) -> Cow<'_, str> {
        match &self.collection {
            Some(collection) => format!("{collection}.{}", self.short_name()).into(),
            None => self.name.as_str().into(),
        }
    }

    /// Its name within its collection, without the folders of roles that it lies in.
    pub fn short_name(&self) -> &str {
        match &self.collection {
            Some(_) => self.name.rsplit(['.', '/']).next().unwrap_or(&self.name),
            None => &self.name,
        }
    }
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it is given.
    pub keywords: Keywords,
    /// The module and its arguments.
    pub action: Action,
    /// `loop` or `with_x`.
    pub looped: Option<Loop>,
    /// The file it is in.
    pub file: PathBuf,
    /// Where it is written.
    pub span: Span,
}

impl Task {
    /// Its name as written, if it has one.
    pub fn name(&self) -> Option<&Node> {
        self.keywords.get(Keyword::Name)
    }
}

/// A module call.
#[derive(Debug, Clone)]
pub struct Action {
    /// The module's name, `ansible.builtin.` taken off; of a collection's the whole.
    pub name: String,
    /// The name as the task has it.
    pub written: String,
    /// Where the name is written.
    pub span: Span,
    /// Its arguments by name.
    pub args: Map,
    /// Its plain text, for modules that take one (`command: uptime`).
    pub text: Option<Node>,
    /// Arguments that are one template (`debug: "{{ args }}"`), under those by name and the later ones
    /// over the earlier ones.
    pub templates: Vec<Node>,
    /// What is wrong with the arguments, where that is for the task to fail of when it runs
    /// ([`crate::KnownModules::faults_wait`]).
    pub faults: Vec<Diagnostic>,
}

/// A loop.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The lookup of `with_x`; `None` for `loop`.
    pub lookup: Option<String>,
    /// What it goes over.
    pub items: Node,
}
