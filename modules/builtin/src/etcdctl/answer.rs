//! What etcdctl answers in JSON, as types.

use rplay_api::{Failure, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A member, as the cluster knows it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    #[serde(rename = "ID")]
    pub id: u64,
    /// Empty until the member has started.
    pub name: String,
    #[serde(rename = "peerURLs")]
    pub peer_urls: Vec<String>,
    #[serde(rename = "clientURLs")]
    pub client_urls: Vec<String>,
    #[serde(rename = "isLearner")]
    pub is_learner: bool,
}

/// An endpoint's own view.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub endpoint: String,
    pub id: u64,
    /// 0 where it knows of no leader.
    pub leader: u64,
    pub version: String,
    pub errors: Vec<String>,
    detail: Detail,
}

/// Whether an endpoint answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Health {
    pub endpoint: String,
    pub health: bool,
    pub took: String,
    pub error: String,
}

#[derive(Deserialize)]
struct MemberList {
    #[serde(default)]
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct EndpointStatus {
    #[serde(rename = "Endpoint")]
    endpoint: String,
    #[serde(rename = "Status")]
    status: Detail,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    header: Header,
    version: String,
    db_size: u64,
    leader: u64,
    raft_index: u64,
    raft_term: u64,
    raft_applied_index: u64,
    is_learner: bool,
    errors: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Header {
    member_id: u64,
}

pub(super) fn members(answer: &Value) -> Result<Vec<Member>> {
    Ok(read::<MemberList>(answer)?.members)
}

pub(super) fn statuses(answer: &Value) -> Result<Vec<Status>> {
    let statuses: Vec<EndpointStatus> = read(answer)?;
    let status = |s: EndpointStatus| Status {
        endpoint: s.endpoint,
        id: s.status.header.member_id,
        leader: s.status.leader,
        version: s.status.version.clone(),
        errors: s.status.errors.clone(),
        detail: s.status,
    };
    let mut statuses: Vec<Status> = statuses.into_iter().map(status).collect();
    statuses.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    Ok(statuses)
}

pub(super) fn healths(answer: &Value) -> Result<Vec<Health>> {
    // They come in the order in which they answered.
    let mut healths: Vec<Health> = read(answer)?;
    healths.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    Ok(healths)
}

fn read<T: DeserializeOwned>(answer: &Value) -> Result<T> {
    T::deserialize(answer).map_err(|e| Failure::new(format!("etcdctl's answer cannot be read: {e}")))
}

/// A number as etcd writes ids.
pub(super) fn hex(id: u64) -> String {
    format!("{id:x}")
}

impl Member {
    pub(super) fn status(&self) -> &'static str {
        if self.name.is_empty() { "unstarted" } else { "started" }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "id": hex(self.id),
            "name": self.name,
            "status": self.status(),
            "peer_urls": self.peer_urls,
            "client_urls": self.client_urls,
            "is_learner": self.is_learner,
        })
    }
}

impl Status {
    pub(super) fn is_leader(&self) -> bool {
        self.leader != 0 && self.leader == self.id
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "id": hex(self.id),
            "version": self.version,
            "db_size": self.detail.db_size,
            "is_leader": self.is_leader(),
            "is_learner": self.detail.is_learner,
            "raft_term": self.detail.raft_term,
            "raft_index": self.detail.raft_index,
            "raft_applied_index": self.detail.raft_applied_index,
            "errors": self.errors,
        })
    }
}

impl Health {
    pub(super) fn json(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "health": self.health,
            "took": self.took,
            "error": self.error,
        })
    }
}
