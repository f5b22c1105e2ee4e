use emp_core::{Connector, Secret};

/// Other.
#[derive(Connector)]
#[connector(service = "other", version = "1.0.0", custom)]
pub struct OtherConnector {
    /// The key.
    #[env("MY_SERVICE_API_KEY")]
    api_key: Secret,
}
