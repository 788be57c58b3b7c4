//! The filter as the kernel has it, or as a dry run would have made it.

use rplay_api::{Command, Failure, Host, Output, Result, State as Props, Target};

use super::rule::words;
use super::{Action, IptablesArgs, State};

/// The key of the number of all rules.
const COUNT: &str = "rules";

/// Stands for the chains of a table.
const ALL: &str = "all chains";

const PRESENT: &str = "present";
const ABSENT: &str = "absent";

/// One of both programs.
pub(super) struct Filter<'a> {
    pub program: &'a str,
    pub args: &'a IptablesArgs,
    pub host: &'a Host<'a>,
}

impl Filter<'_> {
    /// Makes it so, and gives the rule in words.
    pub(super) fn ensure(&self) -> Result<String> {
        let chain = self.args.chain.as_deref().unwrap_or_default();
        if self.args.flush {
            self.flush()?;
            return Ok(String::new());
        }
        if let Some(policy) = &self.args.policy {
            self.set_policy(chain, policy)?;
            return Ok(String::new());
        }
        let rule = words(self.args, self.program == "ip6tables");
        let shown = rule.join(" ");
        let present = self.args.state == State::Present;
        if self.args.chain_management && (present || rule.is_empty()) {
            self.set_chain(chain, present)?;
        }
        if rule.is_empty() {
            if self.args.chain_management {
                return Ok(shown);
            }
            return Err(Failure::new("there is no rule")
                .arg("chain")
                .help("say which packets it takes and where they go (`jump`), or set `policy`, \
                       `flush` or `chain_management`"));
        }
        self.set_rule(chain, &rule, present)?;
        Ok(shown)
    }

    fn target(&self, what: &str) -> Target {
        let (program, table) = (self.program, self.args.table.word());
        Target::Host(format!("{program} {table} {what}"))
    }

    fn command(&self, new: fn(Vec<String>) -> Command, words: &[&str]) -> Command {
        let mut all = vec![self.program.to_owned(), "-t".into(), self.args.table.word().to_owned()];
        if let Some(wait) = &self.args.wait {
            all.extend(["-w".to_owned(), wait.clone()]);
        }
        all.extend(words.iter().map(ToString::to_string));
        new(all)
    }

    fn asks(&self, words: &[&str]) -> Result<Output> {
        let command = self.command(Command::reads, words);
        self.host.run(&command).map_err(|failure| {
            if failure.unknown {
                return failure;
            }
            let failure = failure.help("install it on the target first: the package `iptables`");
            self.host.missing(failure)
        })
    }

    fn does(&self, words: &[&str]) -> Result<()> {
        let command = self.command(Command::changes, words);
        judged(self.host.run(&command)?, &command).map(drop)
    }

    /// The lines of a chain, or of all; `None` where it is not there.
    fn listed(&self, chain: Option<&str>) -> Result<Option<Vec<String>>> {
        let mut words = vec!["-S"];
        words.extend(chain);
        let output = self.asks(&words)?;
        match output.rc {
            0 => Ok(Some(output.stdout().lines().map(str::to_owned).collect())),
            1 if is_absence(&output) => Ok(None),
            _ => {
                let command = self.command(Command::reads, &words);
                judged(output, &command).map(|_| None)
            }
        }
    }

    /// What this dry run would have done to a chain: its rules, and `rules` where all that the
    /// kernel has of it would be gone.
    fn rules_of(&self, chain: &str) -> Target {
        self.target(&format!("rules of {chain}"))
    }

    fn planned(&self, chain: &str) -> Result<Props> {
        let planned = self.host.state(&self.rules_of(chain), || Ok(None))?;
        Ok(planned.unwrap_or_default())
    }

    fn is_flushed(&self, chain: &str) -> Result<bool> {
        Ok(self.planned(chain)?.contains_key(COUNT) || self.planned(ALL)?.contains_key(COUNT))
    }

    fn flush(&self) -> Result<()> {
        let chain = self.args.chain.as_deref();
        let name = chain.unwrap_or(ALL);
        let mut before = self.planned(name)?;
        before.insert(COUNT.to_owned(), self.rules(name)?.to_string());
        let mut after = before.clone();
        after.retain(|_, value| *value != PRESENT);
        after.insert(COUNT.to_owned(), "0".to_owned());
        let words: Vec<&str> = ["-F"].into_iter().chain(chain).collect();
        let apply = || self.does(&words);
        self.host.ensure(self.rules_of(name), Some(before), Some(after), apply)
    }

    /// How many rules a chain has, or all of them.
    fn rules(&self, name: &str) -> Result<usize> {
        let planned = self.planned(name)?;
        let planned = planned.values().filter(|v| *v == PRESENT).count();
        if self.is_flushed(name)? {
            return Ok(planned);
        }
        Ok(planned + self.count(Some(name).filter(|name| *name != ALL))?)
    }

    /// How many rules the kernel has.
    fn count(&self, chain: Option<&str>) -> Result<usize> {
        match self.listed(chain)? {
            Some(lines) => Ok(lines.iter().filter(|line| line.starts_with("-A")).count()),
            None if chain.is_some_and(|c| self.is_planned_chain(c)) => Ok(0),
            None => Err(self.no_chain(chain)),
        }
    }

    fn is_planned_chain(&self, chain: &str) -> bool {
        let target = self.target(&format!("chain {chain}"));
        matches!(self.host.state(&target, || Ok(None)), Ok(Some(_)))
    }

    fn no_chain(&self, chain: Option<&str>) -> Failure {
        let chain = chain.unwrap_or_default();
        let failure = Failure::new(format!(
            "there is no chain `{chain}` in the table `{}`",
            self.args.table.word()
        ));
        failure.absent().arg("chain").help("chain_management: true makes it")
    }

    fn set_policy(&self, chain: &str, policy: &str) -> Result<()> {
        let target = self.target(&format!("policy of {chain}"));
        let is = |policy: &str| Props::from([("policy".to_owned(), policy.to_owned())]);
        let before = self.host.state(&target, || {
            let lines = self.listed(Some(chain))?.ok_or_else(|| self.no_chain(Some(chain)))?;
            let line = lines.iter().find_map(|line| line.strip_prefix(&format!("-P {chain} ")));
            let now = line.and_then(|line| line.split_whitespace().next());
            now.map(|policy| Some(is(policy))).ok_or_else(|| {
                Failure::new(format!("the chain `{chain}` has no policy"))
                    .arg("chain")
                    .help("only the kernel's own chains have one: end it with a rule instead")
            })
        })?;
        self.host.ensure(target, before, Some(is(policy)), || self.does(&["-P", chain, policy]))
    }

    fn set_chain(&self, chain: &str, present: bool) -> Result<()> {
        let target = self.target(&format!("chain {chain}"));
        let before = self.host.state(&target, || {
            Ok(self.listed(Some(chain))?.map(|_| Props::new()))
        })?;
        if before.is_some() && !present && self.rules(chain)? > 0 {
            return Err(Failure::new(format!("the chain `{chain}` has rules"))
                .arg("chain")
                .help("delete them first, with flush: true"));
        }
        let after = present.then(Props::new);
        let flag = if present { "-N" } else { "-X" };
        self.host.ensure(target, before, after, || self.does(&[flag, chain]))
    }

    fn set_rule(&self, chain: &str, rule: &[String], present: bool) -> Result<()> {
        let shown = rule.join(" ");
        let word = |is: bool| if is { PRESENT } else { ABSENT }.to_owned();
        let mut before = self.planned(chain)?;
        let has = match before.get(&shown) {
            Some(planned) => planned == PRESENT,
            None => self.probe(chain, rule)?,
        };
        let is_there = || -> Result<bool> {
            Ok(self.is_planned_chain(chain) || self.listed(Some(chain))?.is_some())
        };
        if present && !has && !is_there()? {
            return Err(self.no_chain(Some(chain)));
        }
        before.insert(shown.clone(), word(has));
        let mut after = before.clone();
        after.insert(shown, word(present));
        let number = self.args.rule_num.as_deref();
        let (flag, number) = match (present, self.args.action) {
            (false, _) => ("-D", None),
            (true, Action::Append) => ("-A", None),
            (true, Action::Insert) => ("-I", number),
        };
        let mut words = vec![flag, chain];
        words.extend(number);
        words.extend(rule.iter().map(String::as_str));
        let apply = || self.does(&words);
        self.host.ensure(self.rules_of(chain), Some(before), Some(after), apply)
    }

    /// Whether the kernel has the rule; one that this dry run would have flushed it has not.
    fn probe(&self, chain: &str, rule: &[String]) -> Result<bool> {
        if self.is_flushed(chain)? {
            return Ok(false);
        }
        let jumps = [Some(chain), self.args.jump.as_deref(), self.args.goto.as_deref()];
        for chain in jumps.into_iter().flatten() {
            // The kernel does not know a chain that is only planned, nor rules with it.
            if self.is_planned_chain(chain) && self.listed(Some(chain))?.is_none() {
                return Ok(false);
            }
        }
        let rule = rule.iter().map(String::as_str);
        let words: Vec<&str> = ["-C", chain].into_iter().chain(rule).collect();
        let output = self.asks(&words)?;
        match output.rc {
            0 => Ok(true),
            1 if is_absence(&output) => Ok(false),
            _ => {
                let command = self.command(Command::reads, &words);
                judged(output, &command).map(|_| false)
            }
        }
    }
}

/// iptables' own words where it fails: the line before the one that says how to get help.
fn judged(output: Output, command: &Command) -> Result<Output> {
    let said = output.stderr();
    let why = said.lines().find_map(|line| line.split_once("): ").map(|(_, why)| why.to_owned()));
    output.success(command).map_err(|mut failure| {
        if let Some(why) = why {
            failure.msg = format!("`{}`: {why}", command.display());
        }
        failure
    })
}

/// Whether iptables says that there is no such rule or chain, and not that it may not look.
fn is_absence(output: &Output) -> bool {
    let said = output.stderr();
    ["Bad rule", "No chain", "does not exist", "doesn't exist", "incompatible", "does a matching"]
        .iter()
        .any(|words| said.contains(words))
}

