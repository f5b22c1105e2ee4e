//! Whether a process is well: asked on loopback, by the one gateway that makes requests.

use std::time::Duration;

use emp_core::Url;
use emp_engine::gateway::{FetchRequest, Gateway};
use emp_machine::Probe;
use http::Method;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks once; the error says what was asked and what came.
pub(crate) async fn ask(gateway: &Gateway, probe: &Probe) -> Result<(), String> {
    let port = probe.port;
    let Some(path) = &probe.path else {
        return match timeout(PATIENCE, TcpStream::connect(("127.0.0.1", port))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("nothing listens on port {port}: {error}")),
            Err(_) => Err(format!("port {port} does not answer")),
        };
    };
    let address = format!("http://127.0.0.1:{port}{path}");
    let url: Url = address.parse().map_err(|error| format!("{address} is no URL: {error}"))?;
    let request = FetchRequest { timeout: Some(PATIENCE), ..FetchRequest::new(Method::GET, url) };
    match gateway.fetch(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("GET {address} answers {}", answer.status)),
        Err(error) => Err(format!("GET {address}: {}", error.message)),
    }
}
