//! Plan, review, apply: runs that are looked over before they change anything.

pub(crate) mod apply;
pub(crate) mod ask;
pub(crate) mod drift;
pub(crate) mod plan;
mod request;
pub(crate) mod show;
mod work;
