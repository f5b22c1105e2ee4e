use emp_core::Connector;

/// Other.
#[derive(Connector)]
#[connector(service = "other", version = "1.0.0", custom)]
pub struct OtherConnector {
    /// The model.
    #[env("OTHER_MODEL", default = "big")]
    model: String,
}
