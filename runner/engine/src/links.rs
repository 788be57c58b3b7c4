//! Connections of the run: one a host, opened when first needed, kept to the end.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use futures::future::join_all;
use rplay_transport::{
    AgentClient, AgentLost, Become, ConnectError, Connection, Connector, Exchange, Target,
};
use rplay_wire::{After, Mode, Report, Run as Request};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

/// Every connection of the run.
pub(crate) struct Links {
    connector: Connector,
    open: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<OnceCell<Result<Arc<Link>, ConnectError>>>;

/// A connection, and which of its agents holds the dry run's overlay.
pub(crate) struct Link {
    pub connection: Connection,
    overlay: AsyncMutex<Option<Arc<AgentClient>>>,
    /// Where Ansible's library is on the host: by its user and its digest.
    pub libraries: AsyncMutex<HashMap<(Option<Become>, String), String>>,
}

/// A request that was sent.
pub(crate) struct Sent {
    link: Arc<Link>,
    request: rplay_transport::Request,
}

impl Sent {
    /// Whether it went to the controller itself, or may have.
    pub(crate) fn is_own_machine(&self) -> bool {
        static OWN: LazyLock<String> = LazyLock::new(rplay_wire::machine);
        let there = &self.request.client().hello().machine;
        there.is_empty() || *there == *OWN
    }

    /// Sends a request that is to run as the same user when this one has ended; where this one must
    /// have ended well it `needs` it. None where it can only be sent in its turn.
    pub(crate) async fn follow(&self, request: Request, needs: bool) -> Option<Self> {
        if removed_user(&request).is_some() {
            return None;
        }
        let agent = self.request.client();
        self.link.hand_over(agent, &request).await.ok()?;
        let id = self.request.id();
        let after = Some(After { id, needs });
        self.link.send(agent, request, after).ok()
    }

    /// Waits for its end.
    pub(crate) async fn answer(self, exchange: Arc<dyn Exchange>) -> Result<Report, Broken> {
        let answer = self.request.answer(exchange).await;
        answer.map_err(|lost| Broken::Lost(lost, !self.link.connection.is_closed()))
    }
}

/// Why a request had no report.
pub(crate) enum Broken {
    /// No connection, or no agent.
    Connect(ConnectError),
    /// The agent ended; whether the connection is still there.
    Lost(AgentLost, bool),
}

impl Links {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector,
            open: Mutex::default(),
        }
    }

    /// What was odd in ssh's configuration.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.connector.warnings()
    }

    /// Ends what runs on hosts, where that must be over when the run is.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let closing = open.values().filter_map(|slot| slot.get()?.as_ref().ok());
        let closing = closing.map(|link| async {
            *link.overlay.lock().await = None;
            link.connection.close().await;
        });
        join_all(closing).await;
    }

    /// Lets a connection go, so that the next one who asks for it gets a new one.
    pub(crate) fn forget(&self, target: &Target) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&format!("{target:?}"));
    }

    /// The connection to a target; a failed one is not tried again in the same play unless
    /// [`Links::forget`] was called.
    pub(crate) async fn link(&self, target: &Target) -> Result<Arc<Link>, ConnectError> {
        let key = format!("{target:?}");
        let slot = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = open.entry(key).or_default();
            let stale = match slot.get() {
                Some(Ok(link)) => link.connection.is_closed(),
                Some(Err(_)) => true,
                None => false,
            };
            if stale {
                *slot = Slot::default();
            }
            slot.clone()
        };
        let made = slot.get_or_init(|| async {
            let connection = self.connector.connect(target).await?;
            Ok(Arc::new(Link {
                connection,
                overlay: AsyncMutex::default(),
                libraries: AsyncMutex::default(),
            }))
        });
        made.await.clone()
    }
}

impl Link {
    /// The agent for a user. Where the login user is root already, nobody needs to become root.
    pub(crate) async fn agent(
        &self,
        other: Option<&Become>,
    ) -> Result<Arc<AgentClient>, ConnectError> {
        if let Some(other) = other
            && other.user == "root"
        {
            let own = self.connection.agent(None).await?;
            if own.hello().uid == 0 {
                return Ok(own);
            }
        }
        self.connection.agent(other).await
    }

    /// Runs a request.
    pub(crate) async fn run(
        self: &Arc<Self>,
        other: Option<&Become>,
        request: Request,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Report, Broken> {
        self.begin(other, request).await?.answer(exchange).await
    }

    /// Sends a request.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        other: Option<&Become>,
        request: Request,
    ) -> Result<Sent, Broken> {
        let agent = self.agent(other).await.map_err(Broken::Connect)?;
        if let Some(user) = removed_user(&request) {
            self.connection.let_go(&user).await;
        }
        self.hand_over(&agent, &request).await?;
        self.send(&agent, request, None)
    }

    fn send(
        self: &Arc<Self>,
        agent: &Arc<AgentClient>,
        request: Request,
        after: Option<After>,
    ) -> Result<Sent, Broken> {
        match agent.begin(request, after) {
            Ok(request) => Ok(Sent {
                link: self.clone(),
                request,
            }),
            Err(lost) => Err(Broken::Lost(lost, !self.connection.is_closed())),
        }
    }

    /// In a dry run all agents of a host share one overlay: it is handed over where another one
    /// wrote to it last.
    async fn hand_over(&self, agent: &Arc<AgentClient>, request: &Request) -> Result<(), Broken> {
        if request.mode != Mode::Check {
            return Ok(());
        }
        let lost = |e: AgentLost| Broken::Lost(e, !self.connection.is_closed());
        let mut holder = self.overlay.lock().await;
        if let Some(last) = holder.as_ref().filter(|last| !Arc::ptr_eq(last, agent)) {
            let data = last.export_overlay().await.map_err(lost)?;
            agent.import_overlay(data).map_err(lost)?;
        }
        *holder = Some(agent.clone());
        Ok(())
    }
}

/// The user that a request takes from the host: a user under whom something runs is not removed,
/// and an agent of the run's own would be that.
fn removed_user(request: &Request) -> Option<String> {
    if request.module != "user" || request.mode != Mode::Apply {
        return None;
    }
    let args: serde_json::Value = serde_json::from_str(&request.args).ok()?;
    let text = |key: &str| args.get(key)?.as_str().map(str::to_owned);
    (text("state")? == "absent").then(|| text("name"))?
}
