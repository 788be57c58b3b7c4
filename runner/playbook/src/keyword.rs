//! The keywords of plays, blocks and tasks: one table.

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Node};

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
    ($($(#[$doc:meta])* $variant:ident $word:literal $places:literal,)*) => {
        /// A keyword.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Keyword {
            $($(#[$doc])* $variant,)*
        }

        const TABLE: &[(Keyword, &str, &str)] = &[$((Keyword::$variant, $word, $places),)*];
    };
}

// The letters say where it may stand: p(lay), b(lock), t(ask), h(andler; every task keyword may).
keywords! {
    /// Stop the play on every host once one fails.
    AnyErrorsFatal "any_errors_fatal" "pbt",
    /// More arguments for the module.
    Args "args" "t",
    /// Seconds that the task may run in the background.
    Async "async" "t",
    /// Become another user.
    Become "become" "pbt",
    /// The program that becomes.
    BecomeExe "become_exe" "pbt",
    /// Flags for it.
    BecomeFlags "become_flags" "pbt",
    /// sudo, su or doas.
    BecomeMethod "become_method" "pbt",
    /// Whom to become.
    BecomeUser "become_user" "pbt",
    /// When the task counts as having changed something.
    ChangedWhen "changed_when" "t",
    /// Whether it only says what it would change.
    CheckMode "check_mode" "pbt",
    /// Where modules are looked for; here for compatibility.
    Collections "collections" "pbt",
    /// How the host is reached.
    Connection "connection" "pbt",
    /// The debugger; here for compatibility.
    Debugger "debugger" "pbt",
    /// Seconds between tries.
    Delay "delay" "t",
    /// Whether facts go to the delegated host.
    DelegateFacts "delegate_facts" "bt",
    /// The host that runs the task in the place of the play's.
    DelegateTo "delegate_to" "bt",
    /// Whether differences are shown.
    Diff "diff" "pbt",
    /// Variables of the processes.
    Environment "environment" "pbt",
    /// When the task counts as failed.
    FailedWhen "failed_when" "t",
    /// Path that fact caches use; here for compatibility.
    FactPath "fact_path" "p",
    /// Run handlers even after a failure.
    ForceHandlers "force_handlers" "p",
    /// Gather facts first.
    GatherFacts "gather_facts" "p",
    /// Which facts.
    GatherSubset "gather_subset" "p",
    /// Seconds that facts may take.
    GatherTimeout "gather_timeout" "p",
    /// The play's handlers.
    Handlers "handlers" "p",
    /// The hosts of the play.
    Hosts "hosts" "p",
    /// Go on after a failure.
    IgnoreErrors "ignore_errors" "pbt",
    /// Go on after a lost host.
    IgnoreUnreachable "ignore_unreachable" "pbt",
    /// Topics that notify this handler.
    Listen "listen" "h",
    /// What to loop over.
    Loop "loop" "t",
    /// How to loop.
    LoopControl "loop_control" "t",
    /// The share of hosts that may fail, in percent.
    MaxFailPercentage "max_fail_percentage" "p",
    /// Default arguments of modules.
    ModuleDefaults "module_defaults" "pbt",
    /// The name.
    Name "name" "pbt",
    /// Keep the result secret.
    NoLog "no_log" "pbt",
    /// Handlers to run after a change.
    Notify "notify" "bt",
    /// The order of the hosts.
    Order "order" "p",
    /// Seconds between looks at a background task.
    Poll "poll" "t",
    /// The SSH port.
    Port "port" "pbt",
    /// Tasks before the roles.
    PostTasks "post_tasks" "p",
    /// Tasks after the tasks.
    PreTasks "pre_tasks" "p",
    /// The variable that takes the result.
    Register "register" "t",
    /// The user to log in as.
    RemoteUser "remote_user" "pbt",
    /// How many tries more.
    Retries "retries" "t",
    /// The play's roles.
    Roles "roles" "p",
    /// Run on the first host only.
    RunOnce "run_once" "pbt",
    /// Hosts at a time, batch after batch.
    Serial "serial" "p",
    /// linear, free or host_pinned.
    Strategy "strategy" "p",
    /// Words that select the task.
    Tags "tags" "pbt",
    /// The play's tasks.
    Tasks "tasks" "p",
    /// Hosts at a time, for this task.
    Throttle "throttle" "pbt",
    /// Seconds that the task may take.
    Timeout "timeout" "pbt",
    /// Try until that holds.
    Until "until" "t",
    /// Variables.
    Vars "vars" "pbt",
    /// Files of variables.
    VarsFiles "vars_files" "p",
    /// Variables to ask for.
    VarsPrompt "vars_prompt" "p",
    /// The condition.
    When "when" "bt",
}

impl Keyword {
    /// The keyword that `word` is in `place`.
    pub fn find(word: &str, place: Place) -> Option<Self> {
        TABLE
            .iter()
            .find(|(_, w, at)| *w == word && stands(at, place))
            .map(|(k, ..)| *k)
    }

    /// All words of a place.
    pub fn words(place: Place) -> impl Iterator<Item = &'static str> {
        TABLE
            .iter()
            .filter(move |(.., at)| stands(at, place))
            .map(|(_, w, _)| *w)
    }

    /// The word itself.
    pub fn word(self) -> &'static str {
        TABLE
            .iter()
            .find(|(k, ..)| *k == self)
            .map_or("", |(_, w, _)| w)
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
    use rplay_yaml::Kind;
    match &node.kind {
        Kind::Str(s) | Kind::Unsafe(s) => s.clone(),
        Kind::Int(n) => n.to_string(),
        Kind::Bool(b) => b.to_string(),
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
    if let Some(near) = did_you_mean(&key.text, Keyword::words(place)) {
        return error.help(format!("did you mean `{near}`?"));
    }
    if Keyword::words(Place::Play).any(|w| w == key.text) {
        return error.help("it belongs to a play");
    }
    if Keyword::words(Place::Handler).any(|w| w == key.text) {
        return error.help("it belongs to a task: mind the indentation");
    }
    error
}
