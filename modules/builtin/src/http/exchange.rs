//! One request and its answer, whatever its status: redirects are the caller's.

use std::io::Read;

use ureq::http::{Method, Request, Response};
use ureq::{Body, SendBody};

use super::Client;
use super::fault::Fault;
use crate::content::Content;
use rplay_api::{Failure, Result};

/// What is asked of a server.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// `GET`, `POST`, ...
    pub method: Method,
    /// The address, without a login in it.
    pub url: String,
    /// Headers besides those that every request has.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Payload>,
}

/// What is sent with a request. It can be read again, for another server.
#[derive(Debug, Clone)]
pub struct Payload {
    /// Where it comes from.
    pub content: Content,
    /// Its length in bytes.
    pub size: u64,
}

impl Payload {
    /// Bytes in memory.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self {
            size: bytes.len() as u64,
            content: Content::Bytes(bytes),
        }
    }
}

impl Client<'_> {
    /// Sends it and gives the answer, redirects and errors of the server among them.
    ///
    /// # Errors
    /// Where no answer came.
    pub fn exchange(&self, exchange: &Exchange) -> Result<Response<Body>> {
        let mut request = Request::builder()
            .method(exchange.method.clone())
            .uri(&exchange.url);
        for (name, value) in &exchange.headers {
            request = request.header(name, value);
        }
        let wrong = |e: ureq::http::Error| {
            Failure::new(format!("`{}` cannot be asked for: {e}", exchange.url)).arg("url")
        };
        let answer = match &exchange.body {
            None => self.send(request.body(()).map_err(wrong)?),
            Some(payload) => {
                let reader = payload.content.open(self.host)?.take(payload.size);
                let request = request.header("content-length", payload.size);
                let body = SendBody::from_owned_reader(reader);
                self.send(request.body(body).map_err(wrong)?)
            }
        };
        answer.map_err(|e| Fault::of(&exchange.url, &e).failure)
    }

    fn send(
        &self,
        request: Request<impl ureq::AsSendBody>,
    ) -> std::result::Result<Response<Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .build();
        self.agent.run(request)
    }
}
