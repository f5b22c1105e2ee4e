//! Fetching what a payload's URL names: public places over https only, without any credential, never redirected.

use http::{HeaderMap, Method};
use tokio::time::timeout;
use url::Url;

use super::{Answer, Gateway, GatewayError, send};
use crate::gateway::error::When;
use emp_core::ErrorCode;

impl Gateway {
    /// Fetches an asset of at most `cap` bytes.
    ///
    /// The URL comes from a client. Private places and plain http are for what the operator vouches for
    /// ([`GatewayOptions::allow`](super::GatewayOptions::allow)); not even the connector's own base is reached so.
    pub(crate) async fn fetch_asset(&self, url: &Url, cap: u64) -> Result<Answer, GatewayError> {
        if url.scheme() != "https" && !self.vouched(url) {
            return Err(GatewayError::refused("assets are fetched over https only"));
        }
        let reach = self.reach(url, None);
        let outgoing = self.outgoing(Method::GET, url.clone(), HeaderMap::new(), None, reach)?;
        let patience = &self.options.patience;
        timeout(patience.total, send(outgoing, reach, cap, patience))
            .await
            .map_err(|_| GatewayError::new(When::Unknown, ErrorCode::ETimeout, "no whole answer in time"))?
    }
}
