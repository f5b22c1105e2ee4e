use emp_core::Connector;

/// ComfyUI.
#[derive(Connector)]
#[connector(service = "comfyui", version = "1.0.0", custom)]
pub struct ComfyUIConnector {}
