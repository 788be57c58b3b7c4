//! What draws the run, and what was wrong before it.

use std::io::Write;
use std::sync::Arc;

use console::Term;
use rplay_diag::{Diagnostic, Severity, Style, render};
use rplay_event::Sink;
use rplay_report::{
    Ansible, AnsibleLook, Callback, JsonLines, Look, Order, Profile, ResultFormat, Terminal, notice,
};

use crate::config::Settings;
use crate::manner::Manner;

/// How this process shows things.
#[derive(Clone)]
pub(crate) enum Screen {
    /// rplay's own look.
    Own(Look),
    /// Ansible's look.
    Ansible(AnsibleLook),
    /// One JSON object an event.
    Json,
}

impl Screen {
    /// Chosen by the program's name and the settings.
    pub(crate) fn new(
        manner: Manner,
        settings: &Settings,
        verbosity: u8,
        diff: bool,
        json: bool,
    ) -> Self {
        let callback = match manner {
            _ if json || settings.json => return Self::Json,
            Manner::Adhoc => Some(
                settings
                    .callback
                    .filter(|c| *c != Callback::Default)
                    .unwrap_or(Callback::Minimal),
            ),
            Manner::Playbook | Manner::Vault | Manner::Inventory | Manner::Config => {
                Some(settings.callback.unwrap_or(Callback::Default))
            }
            Manner::Rplay => settings.callback,
        };
        let term = Term::stdout();
        match callback {
            Some(callback) => Self::Ansible(ansible(callback, settings, verbosity, diff, &term)),
            None => Self::Own(own(settings, verbosity, diff, &term)),
        }
    }

    /// Whether the keys of results may be shown, also where nothing failed.
    pub(crate) fn shows_results(&self) -> bool {
        match self {
            Self::Own(look) => look.verbosity > 0,
            Self::Ansible(look) => look.verbosity > 0 || look.callback != Callback::Default,
            Self::Json => true,
        }
    }

    /// Takes the events of the run.
    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        match self {
            Self::Own(look) => Arc::new(Terminal::new(look.clone())),
            Self::Ansible(look) => Arc::new(Ansible::new(look.clone())),
            Self::Json => Arc::new(JsonLines::new(std::io::stdout())),
        }
    }

    /// Shows what is wrong or odd, on standard error.
    pub(crate) fn show(&self, diagnostic: &Diagnostic) {
        let text = match self {
            Self::Ansible(look) => {
                let drawn = render(diagnostic, Style::Plain);
                let error = diagnostic.severity == Severity::Error;
                if !error && !look.warnings {
                    return;
                }
                notice(&diagnostic.message, Some(&drawn), error, look)
            }
            Self::Own(_) | Self::Json => {
                let colour = Term::stderr().features().colors_supported();
                render(
                    diagnostic,
                    if colour { Style::Colour } else { Style::Plain },
                )
            }
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// How rplay's own texts look here.
    pub(crate) fn look(&self) -> Look {
        match self {
            Self::Own(look) => look.clone(),
            Self::Ansible(_) | Self::Json => Look::plain(),
        }
    }

    /// A line of what is shown with `-v` only.
    pub(crate) fn verbose(&self, text: &str) {
        if let Self::Ansible(look) = self
            && look.verbosity > 0
            && look.callback == Callback::Default
        {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }
}

/// Whether colour is used: as told, or where there is a terminal.
fn colour(settings: &Settings, term: &Term) -> bool {
    match (settings.force_color, settings.no_colour) {
        (Some(true), _) => true,
        (_, Some(true)) => false,
        _ => term.is_term() && term.features().colors_supported(),
    }
}

fn ansible(
    callback: Callback,
    settings: &Settings,
    verbosity: u8,
    diff: bool,
    term: &Term,
) -> AnsibleLook {
    let columns = if term.is_term() {
        usize::from(term.size().1).saturating_sub(1)
    } else {
        79
    };
    AnsibleLook {
        callback,
        colour: colour(settings, term),
        verbosity,
        diff,
        format: settings.result_format.unwrap_or(ResultFormat::Json),
        pretty: settings.format_pretty,
        skipped: settings.display_skipped_hosts.unwrap_or(true),
        ok: settings.display_ok_hosts.unwrap_or(true),
        failed_stderr: settings.display_failed_stderr.unwrap_or(false),
        task_path_on_failure: settings.task_path_on_failure.unwrap_or(false),
        debug: settings.debug == Some(true),
        check_markers: settings.check_mode_markers.unwrap_or(false),
        custom_stats: settings.show_custom_stats.unwrap_or(false),
        warnings: settings.system_warnings.unwrap_or(true),
        deprecations: settings.deprecation_warnings.unwrap_or(true),
        columns: columns.max(79),
        cwd: std::env::current_dir().unwrap_or_default(),
        log: settings.log_path.clone(),
        profiles: profiles(settings),
    }
}

/// The callbacks that tell of times, of those that are asked for.
fn profiles(settings: &Settings) -> Vec<Profile> {
    let names = settings.callbacks.iter().flatten();
    let known = names.filter_map(|name| match name.rsplit('.').next()? {
        "timer" => Some(Profile::Timer),
        "profile_tasks" => Some(Profile::Tasks {
            limit: match settings.profile_tasks_limit.as_deref() {
                None => Some(20),
                // `all` is all of them.
                Some(limit) => limit.parse().ok(),
            },
            order: settings.profile_tasks_order.unwrap_or(Order::Descending),
            summary_only: settings.profile_tasks_summary.unwrap_or(false),
        }),
        "profile_roles" => Some(Profile::Roles {
            summary_only: settings.profile_roles_summary.unwrap_or(false),
        }),
        _ => None,
    });
    known.collect()
}

fn own(settings: &Settings, verbosity: u8, diff: bool, term: &Term) -> Look {
    let width = if term.is_term() {
        usize::from(term.size().1).clamp(40, 120)
    } else {
        79
    };
    Look {
        colour: colour(settings, term),
        live: term.is_term(),
        verbosity,
        diff,
        skipped: settings.display_skipped_hosts.unwrap_or(true),
        groups: true,
        width,
    }
}
