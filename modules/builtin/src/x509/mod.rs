//! What `x509_ca` and `x509_certificate` share: keys, requests, and whether a certificate that is
//! there still does.
//!
//! A certificate is kept, byte for byte, while it is what the task asks for and is not about to
//! expire. Whether it is what is asked for is found by issuing one anew and comparing what both
//! say; only its times, serial number and signature may differ. A private key never leaves its
//! file: it is in no result, and in no diff.

mod facts;
mod key;
mod names;
mod order;
mod span;
mod subject;
mod usage;

pub use names::parse as parse_names;
pub use order::{Order, OrderArgs, RETURNS, check_renewal, load_issuer};
pub use span::Span;
pub use subject::SubjectArgs;
pub use usage::{Usage, parse as parse_usages};
