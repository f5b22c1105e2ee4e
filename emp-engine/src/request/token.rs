//! Where tokens are had. The client's secret goes there, so it is declared, and https.

use emp_core::connector::Loaded;
use emp_core::spec::{HttpProtocol, TokenUrl};
use emp_core::{ErrorCode, JobError};
use serde_json::Value;
use url::{Host, Url};

use super::base::{self, Base};

/// The token endpoint of a connector. Where the base is replaced, by a fake or a gateway, tokens are had from what replaces it.
///
/// # Errors
/// `E_ENVIRONMENT`
pub(crate) fn token_endpoint(
    token_url: &TokenUrl,
    http: &HttpProtocol,
    connector: &Loaded,
) -> Result<Base, JobError> {
    let environment = |problem: String| JobError::new(ErrorCode::EEnvironment, problem);
    let text = match token_url {
        TokenUrl::Path(template) => {
            let path = base::render(template, connector).map_err(environment)?;
            return base::base(http, connector)?.below(&path).map(Base::of_endpoint);
        }
        TokenUrl::Absolute(template) => base::render(template, connector).map_err(environment)?,
        TokenUrl::Env(field) => match connector.settings.json(field) {
            Some(Value::String(text)) => text,
            _ => return Err(environment(format!("the token URL (field `{field}`) is not set"))),
        },
    };
    let mut url =
        Url::parse(&text).map_err(|error| environment(format!("the token URL is not a URL: {error}")))?;
    if let Some(replacement) = &connector.base {
        let path = url.path().to_owned();
        url = replacement.clone();
        url.set_path(&path);
    } else if url.scheme() != "https" && !is_loopback(&url) {
        return Err(environment("the token URL is not https, and the client's secret goes there".to_owned()));
    }
    base::checked(url).map_err(|problem| environment(problem.replace("the base", "the token URL")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
