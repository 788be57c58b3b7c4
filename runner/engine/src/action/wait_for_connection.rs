//! Waits until a host can be reached.

use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt};
use rplay_api::{Args, Doc};
use serde_json::Map;

use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "wait_for_connection",
        aliases: &[],
        summary: "Waits until a host can be reached",
        description: "",
        free_form: None,
        examples: r#"
- wait_for_connection:
    timeout: 120
"#,
        returns: &[],
    },
    spec: WaitArgs::spec,
    run,
};

/// Arguments of `wait_for_connection`.
#[derive(Args)]
struct WaitArgs {
    /// Seconds of one try to connect.
    #[arg(default = 5_u64)]
    connect_timeout: u64,
    /// Seconds before the first try.
    #[arg(default = 0_u64)]
    delay: u64,
    /// Seconds between tries.
    #[arg(default = 1_u64)]
    sleep: u64,
    /// Seconds to wait in all.
    #[arg(default = 600_u64)]
    timeout: u64,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move { settled(wait(call).await) }.boxed()
}

async fn wait(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: WaitArgs = call.args()?;
    let place = call
        .run
        .place(call.context, call.host, call.vars)
        .map_err(|d| call.run.failure(&d))?;
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(args.delay)).await;
    let mut target = place.target;
    target.timeout = Some(Duration::from_secs(args.connect_timeout));
    loop {
        let tried = async {
            let link = call.run.links.link(&target).await?;
            link.agent(place.become_.as_ref()).await.map(drop)
        };
        match tried.await {
            Ok(()) => {
                let elapsed = begun.elapsed().as_secs();
                return Ok(TaskResult::done(false, Map::new()).with("elapsed", elapsed));
            }
            Err(error) if begun.elapsed() >= Duration::from_secs(args.timeout) => {
                let words = format!("no connection within {} seconds: {error}", args.timeout);
                return Err(TaskResult::failed(words));
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(args.sleep)).await,
        }
    }
}
