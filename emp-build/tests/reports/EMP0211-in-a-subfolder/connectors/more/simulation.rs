/// Simulated work.
#[derive(emp_core::Connector)]
#[connector(service = "simulation", version = "1.0.0", custom)]
pub struct SimulationConnector {}
