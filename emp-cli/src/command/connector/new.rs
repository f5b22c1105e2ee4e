//! `emp connector new`: writes a connector that compiles and keeps its contract, and puts it into the mapping.

mod curl;
mod document;
mod mapping;
mod names;
mod openapi;
mod path;
mod plan;
mod print;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use emp_build::schema::Choices;
use serde_json::json;

use crate::args::ConnectorNew;
use crate::command::openapi::read::description;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;
use document::Document;
use names::Names;
use plan::{Credential, Field, Kind, NewConnector, Polled, Words};

pub(super) fn run(args: &ConnectorNew, mapping: Option<&Path>, out: &Output) -> Result<Exit, Failure> {
    let names = named(&args.name)?;
    let service = args.service.clone().unwrap_or_else(|| names.kebab());
    let new = planned(args, &names)?;
    let file = args.dir.join(format!("{}.rs", names.snake()));
    let mapping = mapping.unwrap_or_else(|| Path::new("service-mapping.json"));
    // Everything that can be refused is, before anything is written.
    let mapped = mapped(mapping, &file, &names, &service, &new)?;
    fs::create_dir_all(&args.dir)
        .map_err(|error| Failure::io(&format!("cannot make {}", args.dir.display()), &error))?;
    create(&file, &print::source(&names, &service, &new))?;
    if let Some(text) = &mapped {
        files::replace(mapping, text).inspect_err(|_| {
            // All or nothing: a second try would find its own file in the way. What is at fault is told by the error.
            let _ = fs::remove_file(&file);
        })?;
    }
    tell(args, &names, &service, &new, &file, mapped.is_some().then_some(mapping), out);
    Ok(Exit::Ok)
}

/// The connector that a new project begins with: one that nobody has described yet.
pub(in crate::command) struct Starter {
    /// `TheirServiceConnector`
    pub(in crate::command) connector: String,
    /// `their_service`
    pub(in crate::command) module: String,
    /// `Their Service`
    pub(in crate::command) title: String,
    /// The text of its file.
    pub(in crate::command) source: String,
    names: Names,
    required_env: Vec<String>,
}

impl Starter {
    /// Of a name such as `their-service`.
    pub(in crate::command) fn named(name: &str) -> Result<Self, Failure> {
        let names = named(name)?;
        let new = skeleton(&names);
        Ok(Self {
            connector: names.connector(),
            module: names.snake(),
            title: names.title(),
            source: print::source(&names, &names.kebab(), &new),
            required_env: variables(&names, &new),
            names,
        })
    }

    /// What the mapping may say.
    pub(in crate::command) fn choices(&self) -> Choices {
        Choices {
            connectors: [(self.connector.clone(), [self.names.kebab()].into())].into(),
            variables: self.required_env.iter().cloned().collect(),
            bindings: emp_core::mapping::BUILT_IN_BINDINGS.map(str::to_owned).into(),
            stages: std::collections::BTreeSet::new(),
        }
    }

    /// A mapping with the connector and a worker that serves it.
    pub(in crate::command) fn mapped(&self, mapping: &str, path: &str) -> Result<String, Failure> {
        let (names, service) = (&self.names, self.names.kebab());
        let entry =
            mapping::Entry { names, service: &service, path, required_env: self.required_env.clone() };
        mapping::add(mapping, &entry).map_err(|problem| Failure::new(Exit::Bug, "E_INTERNAL", problem))
    }
}

fn named(name: &str) -> Result<Names, Failure> {
    Names::parse(name).map_err(|problem| {
        usage(format!("`{name}` is no name for a connector: {problem}")).help("emp connector new acme-video")
    })
}

/// The variables that a connector cannot start without.
fn variables(names: &Names, new: &NewConnector) -> Vec<String> {
    print::credentials(names, &new.credential).into_iter().map(|(_, variable, _)| variable).collect()
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, "E_USAGE", message)
}

fn planned(args: &ConnectorNew, names: &Names) -> Result<NewConnector, Failure> {
    if let Some(command) = &args.from_curl {
        return curl::read(command).map_err(|problem| {
            usage(format!("the curl command cannot be read: {problem}"))
                .help("paste the command whole, in single quotes, with `'` written as `'\\''`")
        });
    }
    match (&args.from_openapi, &args.operation) {
        (Some(file), Some(operation)) => {
            let document = Document::new(description(file)?.document);
            openapi::read(&document, operation, args.poll.as_deref()).map_err(|problem| {
                Failure::new(Exit::NotFound, "E_OPENAPI", format!("{}: {problem}", file.display()))
                    .help("name an operation by its operationId or as \"POST /path\"")
            })
        }
        _ => Ok(skeleton(names)),
    }
}

/// A connector of a service that nobody has described.
fn skeleton(names: &Names) -> NewConnector {
    let prompt = Field {
        name: "prompt".to_owned(),
        kind: Kind::Text,
        doc: "What is wanted.".to_owned(),
        required: true,
        example: Some(json!("a lighthouse in the fog")),
        in_path: false,
    };
    NewConnector {
        source: "none yet: name the documentation that this is checked against".to_owned(),
        base: format!("https://api.{}.example.com", names.kebab()),
        credential: Credential::Bearer,
        method: "POST".to_owned(),
        path: "/v1/jobs".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        constants: Vec::new(),
        fields: vec![prompt],
        polled: Some(Polled {
            id: "$.id".to_owned(),
            method: "GET".to_owned(),
            path: "/v1/jobs/{job.id}".to_owned(),
            status: "$.status".to_owned(),
            words: Words::usual(),
            cancel: Some(("POST".to_owned(), "/v1/jobs/{job.id}/cancel".to_owned())),
        }),
        outcome: "$.output".to_owned(),
        next: vec![
            "`#[http(base = ..)]`, `#[submit]`, `#[poll]`, `#[cancel]`: the service's own address and paths"
                .to_owned(),
            "`#[states]`: the service's own status words, all of them".to_owned(),
        ],
    }
}

/// The mapping's new text; none when there is no mapping.
fn mapped(
    mapping: &Path,
    file: &Path,
    names: &Names,
    service: &str,
    new: &NewConnector,
) -> Result<Option<String>, Failure> {
    let text = match fs::read_to_string(mapping) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io(&format!("cannot read {}", mapping.display()), &error)),
    };
    let folder = mapping.parent().unwrap_or_else(|| Path::new(""));
    let path = file.strip_prefix(folder).unwrap_or(file);
    let path = path.to_string_lossy().replace('\\', "/");
    let path = if path.starts_with('/') || path.starts_with('.') { path } else { format!("./{path}") };
    let entry = mapping::Entry { names, service, path: &path, required_env: variables(names, new) };
    mapping::add(&text, &entry).map(Some).map_err(|problem| {
        Failure::new(
            Exit::Conflict,
            "E_MAPPING",
            format!("{} cannot take the connector: {problem}", mapping.display()),
        )
        .help("choose another name, or name another mapping with --mapping FILE")
    })
}

/// Writes a file that is not there yet.
fn create(file: &Path, text: &str) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    let mut made = made.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Failure::new(Exit::Conflict, "E_EXISTS", format!("{} is there already", file.display()))
                .help("choose another name; nothing is overwritten");
        }
        Failure::io(&format!("cannot write {}", file.display()), &error)
    })?;
    made.write_all(text.as_bytes())
        .map_err(|error| Failure::io(&format!("cannot write {}", file.display()), &error))
}

fn tell(
    args: &ConnectorNew,
    names: &Names,
    service: &str,
    new: &NewConnector,
    file: &Path,
    mapping: Option<&Path>,
    out: &Output,
) {
    let connector = names.connector();
    let variables = variables(names, new);
    let mut next = new.next.clone();
    next.push(
        "`at_most_once`: if the service takes an idempotency key or an id of yours, say so instead"
            .to_owned(),
    );
    if new.polled.as_ref().is_some_and(|polled| polled.cancel.is_none()) {
        next.push("`#[cancel]`: how a job is cancelled at the service, if it can be".to_owned());
    }
    next.push("`#[health]`: a request that costs nothing".to_owned());
    let commands = [
        "cargo build".to_owned(),
        format!("cargo run -- connector test {connector}"),
        format!("cargo run -- connector record {connector}    (once it is reviewed)"),
        "cargo run -- schema --write && cargo run -- env example --write".to_owned(),
    ];
    if out.is_json() {
        out.json(&json!({
            "connector": connector, "service": service, "file": file, "mapping": mapping,
            "variables": variables, "edit": next, "then": commands,
        }));
        return;
    }
    out.line(format!("wrote {}", file.display()));
    match mapping {
        Some(mapping) => {
            out.line(format!("added {connector} and the worker `{service}` to {}", mapping.display()));
        }
        None => out.line(format!("no service-mapping.json: add {connector} to yours by hand")),
    }
    if !variables.is_empty() {
        out.line(format!("reads {}", variables.join(", ")));
    }
    out.line(format!("\nlook at these in {}:", args.dir.join(format!("{}.rs", names.snake())).display()));
    for line in &next {
        out.line(format!("  {line}"));
    }
    out.line("\nthen:");
    for line in &commands {
        out.line(format!("  {line}"));
    }
}
