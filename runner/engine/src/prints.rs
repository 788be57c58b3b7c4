//! Keyed digests of what a task changes, taken before secrets are hidden: a saved plan is compared by
//! them.
//!
//! Knows nothing of plans, nor of the key.

use rplay_event::{ChangePrint, Prints};
use rplay_wire::{Change, Run as Request, State};
use serde_json::json;

use crate::options::Fingerprint;
use crate::result::TaskResult;

/// The digests of a result.
pub(crate) fn of(result: &TaskResult, by: &Fingerprint) -> Box<Prints> {
    let changes = result.changes.iter().map(|change| print(change, by));
    Box::new(Prints {
        changes: changes.collect(),
        asked: result.asked.as_ref().map(|asked| by.of(asked.as_bytes())),
    })
}

fn print(change: &Change, by: &Fingerprint) -> ChangePrint {
    let (kind, name) = change.target.parts();
    // The target is in it: equal states of two things do not look alike.
    let state = |state: Option<&State>| by.of(json!([kind, name, state]).to_string().as_bytes());
    ChangePrint {
        target: by.of(json!([kind, name]).to_string().as_bytes()),
        before: state(change.before.as_ref()),
        after: state(change.after.as_ref()),
    }
}

/// What a request asks of a module, as a text: its arguments, and the contents sent along.
pub(crate) fn asked(request: &Request) -> String {
    let blobs: Vec<&str> = request.blobs.iter().map(|b| b.sha256.as_str()).collect();
    json!([request.module, request.args, request.environment, blobs]).to_string()
}

#[cfg(test)]
mod tests {
    use rplay_wire::Target;

    use super::*;

    #[test]
    fn a_state_has_the_same_digest_before_and_after() {
        let plain = Fingerprint::new(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let state = State::from([("mode".to_owned(), "0644".to_owned())]);
        let change = |before: Option<State>, after: Option<State>| Change {
            target: Target::File("/a".into()),
            before,
            after,
            diff: None,
        };
        let made = print(&change(None, Some(state.clone())), &plain);
        let gone = print(&change(Some(state), None), &plain);
        assert_eq!(
            (&made.after, &made.before, &made.target),
            (&gone.before, &gone.after, &gone.target)
        );
        assert_ne!(made.before, made.after);
    }
}
