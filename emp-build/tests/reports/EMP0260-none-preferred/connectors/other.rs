use emp_core::Connector;

/// Other.
#[derive(Connector)]
#[connector(service = ["images", "other"], version = "1.0.0", custom)]
pub struct OtherConnector {}
