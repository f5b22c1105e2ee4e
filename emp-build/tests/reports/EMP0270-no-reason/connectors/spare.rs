use emp_core::Connector;

/// Spare.
#[derive(Connector)]
#[connector(service = "spare", version = "1.0.0", custom)]
pub struct SpareConnector {}
