//! Opens connections, and holds what they share: the agent's image, decrypted keys, jump hosts.

use std::sync::Arc;

use crate::connection::Link;
use crate::ssh::Shared;
use crate::{ConnectError, Connection, Kind, Secrets, Target};

/// The agent's binary, as it is carried inside `rplay`.
#[derive(Debug, Clone, Copy)]
pub struct Image {
    /// The binary, packed with gzip.
    pub gzip: &'static [u8],
    /// SHA-256 of the unpacked binary, in hex.
    pub sha256: &'static str,
    /// The machine it runs on, as `uname -m` says it.
    pub arch: &'static str,
}

/// Opens connections. One for the whole run.
pub struct Connector {
    image: Image,
    shared: Arc<Shared>,
    #[cfg(feature = "simulate")]
    simulation: Option<crate::Simulation>,
}

impl Connector {
    /// A connector that starts this agent and asks for passphrases there.
    pub fn new(image: Image, secrets: Arc<dyn Secrets>) -> Self {
        Self {
            image,
            shared: Arc::new(Shared::new(secrets)),
            #[cfg(feature = "simulate")]
            simulation: None,
        }
    }

    /// Every host is a simulated one.
    #[cfg(feature = "simulate")]
    #[must_use]
    pub fn simulating(mut self, simulation: crate::Simulation) -> Self {
        self.simulation = Some(simulation);
        self
    }

    /// Connects to a host and logs in; a connection that is refused, times out or is cut is tried
    /// once more. No agent is started yet, and no program that is the way there.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub async fn connect(&self, target: &Target) -> Result<Connection, ConnectError> {
        #[cfg(feature = "simulate")]
        if let Some(simulation) = &self.simulation {
            let link = Link::Simulated(simulation.clone());
            return Ok(Connection::new(target, self.image, link));
        }
        let link = match &target.kind {
            Kind::Local => Link::Local(target.dir.clone()),
            Kind::Through(through) => Link::Through(through.clone()),
            Kind::Ssh => {
                let session = self.shared.connect(target).await;
                Link::Ssh(Box::new(session.map_err(|cause| ConnectError {
                    host: target.name.clone(),
                    cause,
                })?))
            }
        };
        Ok(Connection::new(target, self.image, link))
    }

    /// What was odd in the SSH configuration files, since it was last asked.
    pub fn warnings(&self) -> Vec<String> {
        self.shared.warnings()
    }
}
