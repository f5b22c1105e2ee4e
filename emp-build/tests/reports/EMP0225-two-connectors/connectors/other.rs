use emp_core::Connector;

/// Other.
#[derive(Connector)]
#[connector(service = "other", version = "1.0.0", custom)]
pub struct OtherConnector {
    /// How many at once.
    #[env("PARALLEL", default = true)]
    parallel: bool,
}
