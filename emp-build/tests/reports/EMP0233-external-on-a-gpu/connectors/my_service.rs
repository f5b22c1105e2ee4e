use emp_core::Connector;

/// MyService.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", custom)]
pub struct MyServiceConnector {}
