//! A curl command, as a service's documentation shows it, read as a submit.

mod body;
mod command;

use clap::Parser as _;
use emp_core::secret::names_credential;
use url::Url;

use self::command::Curl;
use super::path;
use super::plan::{Credential, NewConnector, Polled, Words};

/// Headers that every request has by itself.
const USUAL: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

/// Reads a command. The credential's value is dropped here, and goes into no error either.
///
/// # Errors
/// What cannot be read, and why.
pub(super) fn read(command: &str) -> Result<NewConnector, String> {
    // A line that goes on is one line; Windows and POSIX documentation write it differently.
    let command = command.replace("\\\r\n", " ").replace("\\\n", " ");
    let words = shell_words::split(&command).map_err(|error| format!("its quotes do not match: {error}"))?;
    if words.first().is_none_or(|word| word != "curl") {
        return Err("it does not begin with `curl`".to_owned());
    }
    let curl = Curl::try_parse_from(&words).map_err(|error| {
        let kind = error.kind();
        format!("an option of curl that is not known here, or one without its value ({kind:?})")
    })?;
    if !curl.form.is_empty() {
        return Err("it sends a form (`-F`): write the connector without --from-curl, and its body as `multipart { .. }`".to_owned());
    }
    let text = curl.url.as_ref().or_else(|| curl.urls.iter().find(|word| word.contains("://")));
    let text = text.ok_or("there is no URL that begins with https:// or http://")?;
    let mut url = Url::parse(text).map_err(|error| format!("its URL is not valid: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its URL is neither https nor http".to_owned());
    }
    if curl.urls.len() + usize::from(curl.url.is_some()) > 1 {
        return Err(
            "it has more than one URL, or a word behind its URL: keep what submits one job".to_owned()
        );
    }
    let method = curl.method()?;
    let mut next = Vec::new();
    let mut second = |name: &str| {
        next.push(format!("`{name}` looks like a second credential and was left out: write `#[auth]` for the service's own way"));
    };
    let mut credential = curl.user.as_ref().map(|_| Credential::Basic);
    if !url.username().is_empty() || url.password().is_some() {
        credential = Some(Credential::Basic);
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let mut headers = Vec::new();
    for header in &curl.header {
        let Some((name, value)) = header.split_once(':') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if names_credential(name) {
            match credential {
                Some(_) => second(name),
                None => credential = Some(of_header(name, value)),
            }
        } else if !USUAL.contains(&name.to_ascii_lowercase().as_str()) && !value.is_empty() {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let mut query = Vec::new();
    for (name, value) in url.query_pairs() {
        // A long `code` is how some function hosts call a key.
        if names_credential(&name) || (name == "code" && value.len() >= 20) {
            match credential {
                Some(_) => second(&name),
                None => credential = Some(Credential::Query { name: name.into_owned() }),
            }
        } else {
            query.push((name.into_owned(), value.into_owned()));
        }
    }
    let sent = curl.data.iter().chain(&curl.json).map(String::as_str).collect::<String>();
    let (constants, mut fields) = body::members(&sent, &mut next)?;
    let named = path::named(url.path().trim_end_matches('/'));
    for parameter in path::parameters(&named) {
        if !fields.iter().any(|known| known.name == path::ident(parameter)) {
            fields.push(path::field(parameter, None, &mut next));
        }
    }
    let path = path::holes(&named, None);
    next.push(
        "`#[poll]`: how a job is asked after is a guess, since a curl command shows only the submit"
            .to_owned(),
    );
    next.push("`#[states]`: replace the usual status words by the service's own, all of them".to_owned());
    Ok(NewConnector {
        source: "a curl command of the service's documentation".to_owned(),
        base: url.origin().ascii_serialization(),
        credential: credential.unwrap_or(Credential::None),
        method,
        polled: Some(Polled {
            id: "$.id".to_owned(),
            method: "GET".to_owned(),
            path: format!("{path}/{{job.id}}"),
            status: "$.status".to_owned(),
            words: Words::usual(),
            cancel: None,
        }),
        path: if path.is_empty() { "/".to_owned() } else { path },
        query,
        headers,
        constants,
        fields,
        outcome: "$.output".to_owned(),
        next,
    })
}

/// The place of a credential in a header; its value is not kept.
fn of_header(name: &str, value: &str) -> Credential {
    let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
    match (name.eq_ignore_ascii_case("authorization"), scheme.to_ascii_lowercase().as_str()) {
        (true, "bearer") => Credential::Bearer,
        (true, "basic") => Credential::Basic,
        (_, "key" | "token" | "apikey" | "api-key") => {
            Credential::Header { name: name.to_owned(), prefix: format!("{scheme} ") }
        }
        _ => Credential::Header { name: name.to_owned(), prefix: String::new() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SECRET: &str = "sk-very-secret-1234567890";

    #[test]
    fn a_documentations_command_is_read_and_its_secret_is_not_kept() {
        let command = format!(
            "curl -sS --location --request POST 'https://api.acme.dev/v1/videos?lang=en' \\\n  -H 'Authorization: Bearer {SECRET}' \
             -H 'Content-Type: application/json' -H 'X-Version: 2' \\\n  --data '{{\"prompt\": \"it'\"'\"'s a cat\", \"steps\": 20, \"n-iter\": 1, \
             \"extra\": {{\"api_key\": \"{SECRET}\", \"a\": 1}}}}'"
        );
        let new = read(&command).unwrap();
        assert_eq!(
            (new.base.as_str(), new.method.as_str(), new.path.as_str()),
            ("https://api.acme.dev", "POST", "/v1/videos")
        );
        assert_eq!(new.credential, Credential::Bearer);
        assert_eq!(new.query, [("lang".to_owned(), "en".to_owned())]);
        assert_eq!(new.headers, [("X-Version".to_owned(), "2".to_owned())]);
        let names: Vec<&str> = new.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["prompt", "steps", "extra"]);
        assert_eq!(new.constants, [("n-iter".to_owned(), Value::from(1))]);
        assert!(!format!("{new:?}").contains(SECRET), "{new:?}");
        assert!(new.next.iter().any(|line| line.contains("`extra.api_key`")), "{:?}", new.next);
    }

    #[test]
    fn a_credential_at_any_depth_is_left_out_and_said() {
        let body = format!(
            r#"{{ "steps": [{{ "auth": {{ "token": "{SECRET}" }} }}, {{ "n": 1, "headers": {{ "x-api-key": "{SECRET}" }} }}] }}"#
        );
        let new = read(&format!("curl https://a.dev/x -d '{body}'")).unwrap();
        assert!(!format!("{new:?}").contains(SECRET), "{new:?}");
        for place in ["`steps[0].auth`", "`steps[1].headers.x-api-key`"] {
            assert!(new.next.iter().any(|line| line.contains(place)), "{place}: {:?}", new.next);
        }
    }

    #[test]
    fn a_parameter_of_the_path_is_one_of_the_payload() {
        let new = read("curl https://a.dev/v1/models/{model_id}/run -d '{\"prompt\": \"a cat\"}'").unwrap();
        assert_eq!(new.path, "/v1/models/{payload.model_id}/run");
        assert_eq!(new.polled.unwrap().path, "/v1/models/{payload.model_id}/run/{job.id}");
        let fields: Vec<_> = new.fields.iter().map(|field| (field.name.as_str(), field.in_path)).collect();
        assert_eq!(fields, [("prompt", false), ("model_id", true)]);
        let keyed = read("curl https://a.dev/v1/$API_KEY/run -d '{}'").unwrap();
        assert!(keyed.next.iter().any(|line| line.contains("`api_key` of the path")), "{:?}", keyed.next);
    }

    #[test]
    fn every_place_of_a_credential_is_found() {
        let header = |name: &str, prefix: &str| Credential::Header {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (arguments, credential) in [
            (format!("-H 'x-api-key: {SECRET}'"), header("x-api-key", "")),
            (format!("-H 'Authorization: Key {SECRET}'"), header("Authorization", "Key ")),
            (format!("-H 'Authorization: {SECRET}'"), header("Authorization", "")),
            (format!("-u user:{SECRET}"), Credential::Basic),
            (String::new(), Credential::None),
        ] {
            let new = read(&format!("curl https://a.dev/x {arguments} -d '{{\"a\":1}}'")).unwrap();
            assert_eq!(new.credential, credential);
            assert!(!format!("{new:?}").contains(SECRET), "{new:?}");
        }
        let new = read(&format!("curl 'https://a.dev/x?key={SECRET}' -d '{{\"a\":1}}'")).unwrap();
        assert_eq!(new.credential, Credential::Query { name: "key".to_owned() });
        assert!(!format!("{new:?}").contains(SECRET), "{new:?}");
    }

    #[test]
    fn a_second_credential_is_said_and_not_kept() {
        let command =
            format!("curl https://a.dev/x -H 'x-api-key: {SECRET}' -H 'Cookie: s={SECRET}' -d '{{}}'");
        let new = read(&command).unwrap();
        assert!(new.next.iter().any(|line| line.contains("`Cookie`")), "{:?}", new.next);
        assert!(!format!("{new:?}").contains(SECRET), "{new:?}");
    }

    #[test]
    fn what_is_not_one_submit_of_curls_is_refused() {
        for (command, problem) in [
            ("wget https://a.dev/x", "begin with `curl`"),
            ("curl https://a.dev/x | jq .", "behind its URL"),
            ("curl https://a.dev/x https://b.dev/y", "more than one URL"),
            ("curl file:///etc/passwd://x", "neither https nor http"),
            ("curl -X FROB https://a.dev/x", "none of GET"),
            ("curl -G https://a.dev/x -d '{}'", "in the query"),
        ] {
            let error = read(command).unwrap_err();
            assert!(error.contains(problem), "{command}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_without_the_secret() {
        for command in [
            format!("curl https://a.dev -H 'Authorization: Bearer {SECRET}"),
            format!("curl https://a.dev --frobnicate {SECRET}"),
            format!("curl -H 'Authorization: {SECRET}'"),
            format!("curl https://a.dev -H 'Authorization: {SECRET}' -d '{{{SECRET}'"),
            format!("curl https://a.dev -F 'key={SECRET}'"),
        ] {
            let error = read(&command).unwrap_err();
            assert!(!error.contains(SECRET), "{error}");
        }
    }
}
