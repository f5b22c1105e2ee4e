use emp_core::{Connector, Secret};

/// MyService.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", custom)]
pub struct MyServiceConnector {
    /// The key.
    #[env("MY_SERVICE_API_KEY")]
    api_key: Secret,
}
