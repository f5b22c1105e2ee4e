use emp_core::Connector;

/// A1111.
#[derive(Connector)]
#[connector(service = "a1111", version = "1.0.0", custom)]
pub struct A1111Connector {}
