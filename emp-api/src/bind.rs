//! Where the API listens: this machine only, unless there is a token.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::auth::{Auth, TOKEN_VARIABLE};

/// Why the API does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address can be reached from other machines and nothing would keep them out.
    #[error("E_NO_AUTH: {address} can be reached from other machines, and the API has no token")]
    NoAuth {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("E_BIND: cannot listen on {address}: {source}")]
    Io {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl BindError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAuth { .. } => "E_NO_AUTH",
            Self::Io { .. } => "E_BIND",
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::NoAuth { address } => {
                let port = address.port();
                format!(
                    "listen on 127.0.0.1:{port}, or set {TOKEN_VARIABLE}, for example: export {TOKEN_VARIABLE}=$(openssl rand -hex 32)"
                )
            }
            Self::Io { .. } => "choose a free port with --listen 127.0.0.1:0".to_owned(),
        }
    }
}

/// Listens on an address. Any but a loopback address needs a token: without one it fails with [`BindError::NoAuth`].
pub async fn bind(address: SocketAddr, auth: &Auth) -> Result<TcpListener, BindError> {
    permitted(address, auth)?;
    TcpListener::bind(address).await.map_err(|source| BindError::Io { address, source })
}

/// The rule of [`bind`], without the listening.
pub(crate) fn permitted(address: SocketAddr, auth: &Auth) -> Result<(), BindError> {
    match auth {
        Auth::None if !address.ip().is_loopback() => Err(BindError::NoAuth { address }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use emp_core::Secret;

    use super::{BindError, bind};
    use crate::auth::Auth;

    #[tokio::test]
    async fn i54_an_address_for_others_needs_a_token() {
        for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"] {
            let refused = bind(open.parse().unwrap(), &Auth::None).await.unwrap_err();
            assert!(matches!(refused, BindError::NoAuth { .. }), "{open}: {refused}");
            assert_eq!(refused.code(), "E_NO_AUTH");
            assert!(refused.help().contains("EMP_API_TOKEN"));
        }
        bind("127.0.0.1:0".parse().unwrap(), &Auth::None).await.unwrap();
        bind("0.0.0.0:0".parse().unwrap(), &Auth::token(&Secret::new("t"))).await.unwrap();
    }

    #[tokio::test]
    async fn an_address_that_is_taken_says_so() {
        let taken = bind("127.0.0.1:0".parse().unwrap(), &Auth::None).await.unwrap();
        let error = bind(taken.local_addr().unwrap(), &Auth::None).await.unwrap_err();
        assert_eq!(error.code(), "E_BIND");
    }
}
