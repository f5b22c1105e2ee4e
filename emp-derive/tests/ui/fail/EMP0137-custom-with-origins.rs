use emp_core::Connector;

/// Echoes.
#[derive(Connector)]
#[connector(custom, service = "echo", version = "1.0.0", unregistered)]
#[origins(follow = self)]
struct Echo {}

fn main() {}
