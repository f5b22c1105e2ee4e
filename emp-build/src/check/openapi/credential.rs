//! The credential: whether it stands where the service reads it.

use emp_codegen::spec::{Auth, AuthPart};
use emp_openapi::{Operation, Scheme};

use super::case::Case;
use super::operations::names;
use crate::codes;
use crate::texts::Spot;

/// Compares the credential with the description's schemes.
pub(super) fn check(case: &Case<'_>, operations: &[Operation<'_>]) {
    let alternatives: Vec<Vec<Scheme>> = operations.iter().flat_map(Operation::security).collect();
    let mut schemes: Vec<&Scheme> = alternatives.iter().flatten().collect();
    schemes.dedup();
    let anonymous = alternatives.iter().any(Vec::is_empty);
    if schemes.is_empty() || anonymous || schemes.iter().any(|scheme| fits(&case.http.auth, scheme)) {
        return;
    }
    let message = format!("`{}` does not read the credential there", names(operations));
    let written: Vec<String> = schemes.iter().map(|scheme| as_attribute(scheme)).collect();
    case.say(
        case.at_text(codes::CREDENTIAL, Spot::all("auth"), message, |_| false)
            .label("stands elsewhere in the description")
            .help(written.join("    or ")),
    );
}

fn fits(auth: &Auth, scheme: &Scheme) -> bool {
    match (scheme, auth) {
        (Scheme::Other, _) | (Scheme::Basic, Auth::Basic(..)) => true,
        (_, Auth::None) => false,
        (Scheme::Bearer, Auth::Header(header, parts)) => {
            header == "authorization"
                && matches!(parts.first(), Some(AuthPart::Literal(start)) if start.starts_with("Bearer "))
        }
        (Scheme::Basic, Auth::Header(header, _)) => header == "authorization",
        (Scheme::Header(name), Auth::Header(header, _)) => name.eq_ignore_ascii_case(header),
        (Scheme::Header(name), Auth::Basic(..)) => name.eq_ignore_ascii_case("authorization"),
        (Scheme::Query(name), Auth::Query(pair, _)) => name == pair,
        // A token that is made is sent as a bearer token.
        (Scheme::Bearer, auth) => !matches!(auth, Auth::Basic(..) | Auth::Query(..)),
        _ => false,
    }
}

fn as_attribute(scheme: &Scheme) -> String {
    match scheme {
        Scheme::Bearer => "#[auth(bearer = api_key)]".to_owned(),
        Scheme::Basic => "#[auth(basic(user = user, password = password))]".to_owned(),
        Scheme::Header(name) => format!("#[auth(header(\"{name}\") = \"{{api_key}}\")]"),
        Scheme::Query(name) => format!("#[auth(query(\"{name}\") = \"{{api_key}}\")]"),
        Scheme::Other => "#[auth(none)]".to_owned(),
    }
}
