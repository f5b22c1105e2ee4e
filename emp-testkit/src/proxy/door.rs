//! The port of a proxy: open, or refusing. It is never let go of, so that nobody else gets it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port that accepts connections or refuses them.
#[derive(Debug)]
pub(super) enum Door {
    Open(TcpListener, SocketAddr),
    /// Bound, and not listening: the kernel refuses.
    Shut(TcpSocket, SocketAddr),
}

impl Door {
    /// A free port.
    pub(super) fn open() -> io::Result<Self> {
        let socket = bound((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(Self::Open(socket.listen(BACKLOG)?, address))
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Open(_, address) | Self::Shut(_, address) => *address,
        }
    }

    /// Refuses, or accepts.
    pub(super) fn set(self, refuse: bool) -> io::Result<Self> {
        Ok(match self {
            Self::Open(listener, address) if refuse => {
                // Bound to the same port before the listener is gone.
                let socket = bound(address)?;
                drop(listener);
                Self::Shut(socket, address)
            }
            Self::Shut(socket, address) if !refuse => Self::Open(socket.listen(BACKLOG)?, address),
            same => same,
        })
    }

    /// The next connection; none comes while it is shut.
    pub(super) async fn accept(&self) -> TcpStream {
        let Self::Open(listener, _) = self else { return std::future::pending().await };
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return stream,
                // Out of descriptors, say: others may close in the meantime.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
