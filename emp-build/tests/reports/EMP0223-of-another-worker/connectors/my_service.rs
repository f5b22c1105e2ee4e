use emp_core::Connector;

/// MyService.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", custom)]
pub struct MyServiceConnector {
    /// Where it is.
    #[env("MY_SERVICE_BASE_URL", default = "https://api.myservice.com")]
    base_url: String,
}
