//! Answers: the connection, the agent and `become` work.

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return};

/// The `ping` module.
pub struct This;

/// Arguments of `ping`.
#[derive(Debug, Args)]
pub struct PingArgs {
    /// What to answer; `crash` fails.
    #[arg(default = "pong")]
    data: String,
}

impl Module for This {
    type Args = PingArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "ping",
        aliases: &[],
        summary: "Answers, where the host can be reached and the agent runs",
        description: "",
        free_form: None,
        examples: "- ping:\n",
        returns: &[Return { name: "ping", doc: "what was asked for, `pong` by default" }],
    };

    fn run(args: PingArgs, _: &Host) -> Result<Outcome> {
        if args.data == "crash" {
            // Ansible's module raises an exception here, and this is how the result tells one.
            return Err(Failure::new("Task failed: Module failed: boom"));
        }
        Ok(Outcome::new().with("ping", args.data))
    }
}
