use emp_core::Connector;

/// Plays.
#[derive(Connector)]
#[connector(service = "simulation", version = "1.0.0", custom)]
pub struct SimulationConnector {}
