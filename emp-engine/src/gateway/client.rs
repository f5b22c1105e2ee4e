//! The HTTP clients: the only ones of the process.

use std::sync::Arc;

use super::GatewayOptions;
use super::address::{Checked, Reach};

/// Which protocol a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// What both sides know best.
    Any,
    /// HTTP/1.1, which can become another one.
    Upgrading,
}

/// A client for each reach, and for each protocol that a connection may have.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    #[allow(clippy::disallowed_types)] // this is the one owner that the rule speaks of
    public: reqwest::Client,
    #[allow(clippy::disallowed_types)] // likewise
    configured: reqwest::Client,
    /// As the two above, but HTTP/1.1 only: an upgrade to a socket needs it.
    #[allow(clippy::disallowed_types)] // likewise
    upgrading: [reqwest::Client; 2],
}

impl Clients {
    pub(super) fn new(options: &GatewayOptions) -> Result<Self, String> {
        let make = |reach, wire| client(options, reach, wire);
        Ok(Self {
            public: make(Reach::Public, Wire::Any)?,
            configured: make(Reach::Configured, Wire::Any)?,
            upgrading: [make(Reach::Public, Wire::Upgrading)?, make(Reach::Configured, Wire::Upgrading)?],
        })
    }

    #[allow(clippy::disallowed_types)] // likewise
    pub(super) fn get(&self, wire: Wire, reach: Reach) -> &reqwest::Client {
        let [public, configured] = &self.upgrading;
        match (wire, reach) {
            (Wire::Any, Reach::Public) => &self.public,
            (Wire::Any, Reach::Configured) => &self.configured,
            (Wire::Upgrading, Reach::Public) => public,
            (Wire::Upgrading, Reach::Configured) => configured,
        }
    }
}

#[allow(clippy::disallowed_types)] // the one place where a client is built
fn client(options: &GatewayOptions, reach: Reach, wire: Wire) -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = reqwest::Client::builder();
    let builder = if wire == Wire::Upgrading { builder.http1_only() } else { builder };
    builder
        .tls_backend_preconfigured(tls)
        .dns_resolver(Checked { resolver: Arc::clone(&options.resolver), reach })
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(options.patience.connect)
        .http1_max_headers(100)
        .http2_max_header_list_size(64 << 10)
        .build()
        .map_err(|error| error.without_url().to_string())
}
