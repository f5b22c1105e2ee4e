use std::time::Duration;

use emp_core::Connector;

/// Other.
#[derive(Connector)]
#[connector(service = "other", version = "1.0.0", custom)]
pub struct OtherConnector {
    /// How long to wait.
    #[env("PATIENCE", default = "30000ms")]
    patience: Duration,
}
