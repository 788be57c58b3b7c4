//! The keywords of plays, blocks and tasks: one table.

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Node};

use crate::shape::Shape;

/// Where a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a play.
    Play,
    /// In a block, and in a role's entry or an import.
    Block,
    /// In a task.
    Task,
    /// In a handler.
    Handler,
}

macro_rules! keywords {
    ($($(#[$doc:meta])* $variant:ident $word:literal $places:literal $shape:ident,)*) => {
        /// A keyword.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Keyword {
            $($(#[$doc])* $variant,)*
        }

        const TABLE: &[(Keyword, &str, &str, Shape)] =
            &[$((Keyword::$variant, $word, $places, Shape::$shape),)*];
    };
}

// The letters say where it may stand: p(lay), b(lock), t(ask), h(andler; every task keyword may).
keywords! {
    /// Stop the play on every host once one fails.
    AnyErrorsFatal "any_errors_fatal" "pbt" Bool,
    /// More arguments for the module.
    Args "args" "t" Mapping,
    /// Seconds that the task may run in the background.
    Async "async" "t" Number,
    /// Become another user.
    Become "become" "pbt" Bool,
    /// The program that becomes.
    BecomeExe "become_exe" "pbt" Text,
    /// Flags for it.
    BecomeFlags "become_flags" "pbt" Text,
    /// sudo, su or doas.
    BecomeMethod "become_method" "pbt" Text,
    /// Whom to become.
    BecomeUser "become_user" "pbt" Text,
    /// When the task counts as having changed something.
    ChangedWhen "changed_when" "t" Condition,
    /// Whether it only says what it would change.
    CheckMode "check_mode" "pbt" Bool,
    /// Where modules are looked for; here for compatibility.
    Collections "collections" "pbt" Texts,
    /// How the host is reached.
    Connection "connection" "pbt" Text,
    /// The debugger; here for compatibility.
    Debugger "debugger" "pbt" Debugger,
    /// Seconds between tries.
    Delay "delay" "t" Number,
    /// Whether facts go to the delegated host.
    DelegateFacts "delegate_facts" "bt" Bool,
    /// The host that runs the task in the place of the play's.
    DelegateTo "delegate_to" "bt" Text,
    /// Whether differences are shown.
    Diff "diff" "pbt" Bool,
    /// Variables of the processes.
    Environment "environment" "pbt" Mappings,
    /// When the task counts as failed.
    FailedWhen "failed_when" "t" Condition,
    /// Path that fact caches use; here for compatibility.
    FactPath "fact_path" "p" Text,
    /// Run handlers even after a failure.
    ForceHandlers "force_handlers" "p" Bool,
    /// Gather facts first.
    GatherFacts "gather_facts" "p" Bool,
    /// Which facts.
    GatherSubset "gather_subset" "p" Texts,
    /// Seconds that facts may take.
    GatherTimeout "gather_timeout" "p" Number,
    /// The play's handlers.
    Handlers "handlers" "p" Steps,
    /// The hosts of the play.
    Hosts "hosts" "p" Hosts,
    /// Go on after a failure.
    IgnoreErrors "ignore_errors" "pbt" Bool,
    /// Go on after a lost host.
    IgnoreUnreachable "ignore_unreachable" "pbt" Bool,
    /// Topics that notify this handler.
    Listen "listen" "h" Texts,
    /// What to loop over.
    Loop "loop" "t" Items,
    /// How to loop.
    LoopControl "loop_control" "t" LoopControl,
    /// The share of hosts that may fail, in percent.
    MaxFailPercentage "max_fail_percentage" "p" Percent,
    /// Default arguments of modules.
    ModuleDefaults "module_defaults" "pbt" Mappings,
    /// The name.
    Name "name" "pbt" Text,
    /// Keep the result secret.
    NoLog "no_log" "pbt" Bool,
    /// Handlers to run after a change.
    Notify "notify" "bt" Texts,
    /// The order of the hosts.
    Order "order" "p" Order,
    /// Seconds between looks at a background task.
    Poll "poll" "t" Number,
    /// The SSH port.
    Port "port" "pbt" Number,
    /// Tasks before the roles.
    PostTasks "post_tasks" "p" Steps,
    /// Tasks after the tasks.
    PreTasks "pre_tasks" "p" Steps,
    /// The variable that takes the result.
    Register "register" "t" VariableName,
    /// The user to log in as.
    RemoteUser "remote_user" "pbt" Text,
    /// How many tries more.
    Retries "retries" "t" Number,
    /// The play's roles.
    Roles "roles" "p" Steps,
    /// Run on the first host only.
    RunOnce "run_once" "pbt" Bool,
    /// Hosts at a time, batch after batch.
    Serial "serial" "p" Batches,
    /// linear, free or host_pinned.
    Strategy "strategy" "p" Strategy,
    /// Words that select the task.
    Tags "tags" "pbt" Texts,
    /// The play's tasks.
    Tasks "tasks" "p" Steps,
    /// Hosts at a time, for this task.
    Throttle "throttle" "pbt" Number,
    /// Seconds that the task may take.
    Timeout "timeout" "pbt" Number,
    /// Try until that holds.
    Until "until" "t" Condition,
    /// Variables.
    Vars "vars" "pbt" Variables,
    /// Files of variables.
    VarsFiles "vars_files" "p" Files,
    /// Variables to ask for.
    VarsPrompt "vars_prompt" "p" Prompts,
    /// The condition.
    When "when" "bt" Condition,
}

impl Keyword {
    /// The keyword that `word` is in `place`.
    pub fn find(word: &str, place: Place) -> Option<Self> {
        TABLE
            .iter()
            .find(|(_, w, at, _)| *w == word && stands(at, place))
            .map(|(k, ..)| *k)
    }

    /// All words of a place.
    pub fn words(place: Place) -> impl Iterator<Item = &'static str> {
        TABLE
            .iter()
            .filter(move |(_, _, at, _)| stands(at, place))
            .map(|(_, w, ..)| *w)
    }

    /// Whether a word is a keyword anywhere.
    pub(crate) fn is_one(word: &str) -> bool {
        TABLE.iter().any(|(_, w, ..)| *w == word)
    }

    /// The word itself.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// Whether it may stand there.
    pub(crate) fn stands_in(self, place: Place) -> bool {
        stands(self.row().2, place)
    }

    /// What its value must look like.
    pub(crate) fn shape(self) -> Shape {
        self.row().3
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, Shape) {
        TABLE
            .iter()
            .find(|(k, ..)| *k == self)
            .expect("bug: every keyword is in the table")
    }
}

fn stands(letters: &str, place: Place) -> bool {
    match place {
        Place::Play => letters.contains('p'),
        Place::Block => letters.contains('b'),
        Place::Task => letters.contains('t'),
        Place::Handler => letters.contains('t') || letters.contains('h'),
    }
}

/// The keywords given in one place, with their values as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keywords(Vec<(Keyword, Node)>);

impl Keywords {
    /// The collections that short names are looked for in.
    pub fn collections(&self) -> Vec<String> {
        let listed = self.list(Keyword::Collections);
        listed.into_iter().map(plain_text).collect()
    }

    /// The value of a keyword, if it is given.
    pub fn get(&self, keyword: Keyword) -> Option<&Node> {
        self.0
            .iter()
            .find(|(k, _)| *k == keyword)
            .map(|(_, node)| node)
    }

    /// Sets a keyword.
    pub fn set(&mut self, keyword: Keyword, node: Node) {
        self.0.retain(|(k, _)| *k != keyword);
        self.0.push((keyword, node));
    }

    /// All that are given, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Keyword, &Node)> {
        self.0.iter().map(|(keyword, node)| (*keyword, node))
    }

    /// Those that may stand in `place`.
    pub(crate) fn only(&self, place: Place) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(k, _)| k.stands_in(place))
                .cloned()
                .collect(),
        )
    }

    /// The values of a keyword that takes one or a list.
    pub fn list(&self, keyword: Keyword) -> Vec<&Node> {
        match self.get(keyword) {
            None => vec![],
            Some(node) => node
                .as_seq()
                .map_or_else(|| vec![node], |items| items.iter().collect()),
        }
    }

    /// The tags, split at commas.
    pub fn tags(&self) -> Vec<String> {
        let words = self.list(Keyword::Tags).into_iter().map(plain_text);
        words
            .flat_map(|w| {
                w.split(',')
                    .map(|t| t.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|t| !t.is_empty())
            .collect()
    }
}

/// A scalar's text.
pub(crate) fn plain_text(node: &Node) -> String {
    match &node.kind {
        Kind::Str(s) | Kind::Unsafe(s) => s.clone(),
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => format!("{n:?}"),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        _ => String::new(),
    }
}

/// The error for a word that is no keyword of its place.
pub(crate) fn unknown_keyword(key: &Key, place: Place) -> Diagnostic {
    let what = match place {
        Place::Play => "a play",
        Place::Block => "a block",
        Place::Task => "a task",
        Place::Handler => "a handler",
    };
    let error = Diagnostic::error(format!("`{}` is no keyword of {what}", key.text)).at(&key.span);
    let elsewhere = [
        (Place::Play, "a play"),
        (Place::Task, "a task"),
        (Place::Handler, "a handler"),
    ]
    .into_iter()
    .find(|(other, _)| Keyword::words(*other).any(|w| w == key.text));
    if let Some((_, owner)) = elsewhere {
        return error.help(format!("it belongs to {owner}: mind the indentation"));
    }
    if matches!(key.text.as_str(), "sudo" | "sudo_user" | "su" | "su_user") {
        return error.help("use `become`, `become_user` and `become_method`");
    }
    match did_you_mean(&key.text, Keyword::words(place)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => match did_you_mean(&key.text, Keyword::words(Place::Task)) {
            Some(near) => error.help(format!("`{near}`, if it is that, belongs to a task")),
            None => error,
        },
    }
}
