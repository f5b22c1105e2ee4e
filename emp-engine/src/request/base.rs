//! Where the service is: parsed once from the declaration or the environment, never from a job.

use emp_core::connector::Loaded;
use emp_core::spec::{self, HttpProtocol};
use emp_core::{ErrorCode, JobError};
use emp_syntax::template::{Part, Template};
use serde_json::Value;
use url::Url;

use super::origin;

/// The service's base URL, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Url);

impl Base {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// An endpoint that is spoken to as a base is: nothing is below it.
    pub(super) fn of_endpoint(url: Url) -> Self {
        Self(url)
    }

    /// A path below the base.
    ///
    /// The path was built segment by segment. Parsing it once more must not change its shape: that is checked, and not trusted.
    pub(super) fn below(&self, path: &str) -> Result<Url, JobError> {
        let refused = || JobError::new(ErrorCode::EBadRequest, "the path does not keep its shape as a URL");
        let root = self.0.path().trim_end_matches('/');
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(refused());
        }
        let whole = format!("{root}{path}");
        let mut url = self.0.clone();
        url.set_path(&whole);
        url.set_query(query);
        // Escapes make a path longer; what makes it shorter is a dot segment, in whatever spelling, that was taken out.
        let same =
            url.path().matches('/').count() == whole.matches('/').count() && url.path().len() >= whole.len();
        if !same || !origin::same(&url, &self.0) { Err(refused()) } else { Ok(url) }
    }
}

/// The base of a connector: what replaces it, or what is declared.
pub fn base(http: &HttpProtocol, connector: &Loaded) -> Result<Base, JobError> {
    let environment = |problem: String| JobError::new(ErrorCode::EEnvironment, problem);
    if let Some(url) = &connector.base {
        return checked(url.clone()).map_err(environment);
    }
    let text = match &http.base {
        spec::Base::Env(field) => match connector.settings.json(field) {
            Some(Value::String(text)) => text,
            _ => return Err(environment(format!("the base URL (field `{field}`) is not set"))),
        },
        spec::Base::Template(template) => render(template, connector).map_err(environment)?,
    };
    let url = Url::parse(&text).map_err(|error| environment(format!("the base is not a URL: {error}")))?;
    let host = url.host_str().unwrap_or_default();
    if !http.allow_hosts.is_empty()
        && !http.allow_hosts.iter().any(|pattern| origin::host_matches(pattern, host))
    {
        let hosts = http.allow_hosts.join(", ");
        return Err(environment(format!(
            "the base's host `{host}` is not one of the declared hosts ({hosts})"
        )));
    }
    checked(url).map_err(environment)
}

pub(super) fn checked(url: Url) -> Result<Base, String> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("the base is not an absolute http or https URL".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the base holds a user or a password; put the credential into `#[auth]`".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the base has a query or a fragment; put it into the requests".to_owned());
    }
    Ok(Base(url))
}

/// The text of a base template; only `env` has values here, and only such that cannot begin another part of the URL.
pub(super) fn render(template: &Template, connector: &Loaded) -> Result<String, String> {
    let mut text = String::new();
    for part in template.parts.iter() {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Hole { hole, .. } => {
                let field = match hole.reference.path.first() {
                    Some(emp_syntax::hole::Step::Name(field)) => field.as_ref(),
                    _ => "",
                };
                let value = match connector.settings.json(field) {
                    Some(Value::String(value)) => value,
                    Some(Value::Number(value)) => value.to_string(),
                    _ => return Err(format!("the base needs the field `{field}`, which is not set")),
                };
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
                if value.is_empty() || value.contains("..") || value == "." || !value.bytes().all(fits) {
                    return Err(format!("the field `{field}` does not fit into the base URL"));
                }
                text.push_str(&value);
            }
        }
    }
    Ok(text)
}
