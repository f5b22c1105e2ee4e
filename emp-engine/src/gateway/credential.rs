//! The credential step: the last thing before a request leaves, and the only place that reads a secret.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use emp_core::connector::Loaded;
use emp_core::spec::{Auth, AuthPart};
use emp_core::{ErrorCode, JobError, Secret};
use http::{HeaderName, HeaderValue};
use url::{Url, form_urlencoded};

use super::error::{GatewayError, When};

/// A credential, ready to be put into a request.
#[derive(Clone)]
pub(crate) enum Credential {
    /// None is declared, or an optional field of it is not set.
    None,
    /// In a header.
    Header(HeaderName, HeaderValue),
    /// In a query pair.
    Query(&'static str, Secret),
    /// In members of a form, which is the body.
    Form(Vec<(&'static str, Secret)>),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "Credential::None",
            Self::Header(..) => "Credential::Header([redacted])",
            Self::Query(..) => "Credential::Query([redacted])",
            Self::Form(_) => "Credential::Form([redacted])",
        })
    }
}

impl Credential {
    /// The credential of a connector.
    ///
    /// # Errors
    /// `E_ENVIRONMENT` when its value cannot stand in a header. The value is not in the error.
    pub(crate) fn of(auth: &Auth, connector: &Loaded) -> Result<Self, JobError> {
        match auth {
            Auth::Header { name, value } => {
                join(value, connector).map_or(Ok(Self::None), |text| Self::header(name, &text))
            }
            Auth::Query { name, value } => {
                Ok(join(value, connector).map_or(Self::None, |text| Self::Query(name, Secret::new(text))))
            }
            Auth::Basic { user, password } => match (part(*user, connector), part(*password, connector)) {
                (Some(user), Some(password)) => Self::header(
                    "authorization",
                    &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
                ),
                _ => Ok(Self::None),
            },
            _ => Ok(Self::None),
        }
    }

    /// A credential in a header.
    pub(crate) fn header(name: &'static str, value: &str) -> Result<Self, JobError> {
        let unfit = || {
            let message = "the credential has characters that a header cannot have (a newline at its end?)";
            JobError::new(ErrorCode::EEnvironment, message)
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(unfit());
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        Ok(Self::Header(name, value))
    }

    /// A token in the header `Authorization`.
    pub(crate) fn bearer(token: &Secret) -> Result<Self, GatewayError> {
        Self::header("authorization", &format!("Bearer {}", token.expose())).map_err(|_| {
            let message = "the token has characters that a header cannot have";
            GatewayError::new(When::BeforeBytes, ErrorCode::EBadResponse, message)
        })
    }

    /// Puts the credential into a request; the declared header of the same name gives way.
    pub(super) fn apply(&self, url: &mut Url, headers: &mut http::HeaderMap, body: &mut Option<Bytes>) {
        match self {
            Self::None => {}
            Self::Header(name, value) => {
                headers.insert(name.clone(), value.clone());
            }
            Self::Query(name, value) => {
                url.query_pairs_mut().append_pair(name, value.expose());
            }
            Self::Form(members) => {
                let start = body.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                let mut form = form_urlencoded::Serializer::new(start);
                form.extend_pairs(members.iter().map(|(name, value)| (*name, value.expose())));
                *body = Some(form.finish().into());
            }
        }
    }

    /// The bytes by which two credentials are told apart; never kept, only hashed.
    pub(crate) fn identity(&self) -> Cow<'_, [u8]> {
        match self {
            Self::None => Cow::Borrowed(b""),
            Self::Header(_, value) => value.as_bytes().into(),
            Self::Query(_, value) => value.expose().as_bytes().into(),
            Self::Form(members) => {
                let values: Vec<&str> = members.iter().map(|(_, value)| value.expose()).collect();
                values.join("\0").into_bytes().into()
            }
        }
    }
}

fn part(part: AuthPart, connector: &Loaded) -> Option<String> {
    match part {
        AuthPart::Literal(text) => Some(text.to_owned()),
        AuthPart::Field(field) => {
            connector.settings.credential(field).map(|secret| secret.expose().to_owned())
        }
    }
}

/// An absent field leaves the whole credential out.
fn join(parts: &[AuthPart], connector: &Loaded) -> Option<String> {
    parts.iter().map(|each| part(*each, connector)).collect()
}
