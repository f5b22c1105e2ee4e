use std::time::Duration;

use emp_core::Connector;

/// MyService.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", custom)]
pub struct MyServiceConnector {
    /// How long to wait.
    #[env("MY_SERVICE_TIMEOUT", default = "30s")]
    timeout: Duration,
}
