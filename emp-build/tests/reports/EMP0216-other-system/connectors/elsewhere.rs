//! Where it is.

/// Where it is.
#[cfg(all(windows, feature = "local-gpu"))]
#[derive(emp_core::Connector)]
#[connector(service = "elsewhere", version = "1.0.0", custom)]
pub struct ElsewhereConnector {}
