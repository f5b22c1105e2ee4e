//! `EMP01xx`: mistakes in a declaration, reported by the derive.

use super::{Code, Entry};

/// A connector is a struct with named fields.
pub const NOT_A_STRUCT: Code = Code::new("EMP0101");
/// A connector has no generic parameters.
pub const GENERIC: Code = Code::new("EMP0102");
/// A connector has a doc comment.
pub const NO_DESCRIPTION: Code = Code::new("EMP0103");
/// A billable submit says what a lost answer means.
pub const NO_SETTLE_RULE: Code = Code::new("EMP0104");
/// The declaration can be read.
pub const SYNTAX: Code = Code::new("EMP0105");
/// A key is one that its attribute knows.
pub const UNKNOWN_KEY: Code = Code::new("EMP0106");
/// Everything is said once.
pub const DUPLICATE: Code = Code::new("EMP0107");
/// The attributes that a connector needs are there.
pub const MISSING_ATTRIBUTE: Code = Code::new("EMP0108");
/// The keys that an attribute needs are there.
pub const MISSING_KEY: Code = Code::new("EMP0109");
/// A key is written in its form.
pub const WRONG_FORM: Code = Code::new("EMP0110");
/// A service name is `[a-z0-9_-]{1,64}`.
pub const SERVICE_NAME: Code = Code::new("EMP0111");
/// A version is semver.
pub const VERSION: Code = Code::new("EMP0112");
/// A base is an https URL.
pub const BASE: Code = Code::new("EMP0113");
/// A path begins with `/`.
pub const PATH: Code = Code::new("EMP0114");
/// A selector is a JSONPath of the supported subset.
pub const JSON_PATH: Code = Code::new("EMP0115");
/// A text with holes can be read.
pub const TEMPLATE: Code = Code::new("EMP0116");
/// A value can be read.
pub const VALUE: Code = Code::new("EMP0117");
/// A word is one of a closed list.
pub const UNKNOWN_WORD: Code = Code::new("EMP0118");
/// `env.x` names a field of the struct.
pub const UNKNOWN_FIELD: Code = Code::new("EMP0119");
/// A secret stands in `#[auth]` only.
pub const SECRET_PLACE: Code = Code::new("EMP0120");
/// `job.x` is captured by the submit.
pub const NOT_CAPTURED: Code = Code::new("EMP0121");
/// Every field says its variable.
pub const NO_ENV: Code = Code::new("EMP0122");
/// A variable fills one field.
pub const DUPLICATE_VARIABLE: Code = Code::new("EMP0123");
/// An option of `#[env]` fits the field's type.
pub const ENV_OPTION: Code = Code::new("EMP0124");
/// A default is valid for its field.
pub const ENV_DEFAULT: Code = Code::new("EMP0125");
/// A variable's name is `[A-Z_][A-Z0-9_]*`.
pub const VARIABLE_NAME: Code = Code::new("EMP0126");
/// A status vocabulary is total.
pub const NO_UNKNOWN: Code = Code::new("EMP0127");
/// A status word has one meaning.
pub const SAME_WORD: Code = Code::new("EMP0128");
/// A job can succeed.
pub const NO_SUCCESS: Code = Code::new("EMP0129");
/// The attributes fit the mode.
pub const MODE: Code = Code::new("EMP0130");
/// A polled job has an id.
pub const NO_ID: Code = Code::new("EMP0131");
/// An idempotency key or an assigned id really reaches the service.
pub const KEY_PLACE: Code = Code::new("EMP0132");
/// A reference has a value where it stands.
pub const NOT_HERE: Code = Code::new("EMP0133");
/// Numbers are in their range.
pub const RANGE: Code = Code::new("EMP0134");
/// A regular expression compiles.
pub const REGEX: Code = Code::new("EMP0135");
/// A member, header or query key is written once.
pub const DUPLICATE_MEMBER: Code = Code::new("EMP0136");
/// A custom connector declares no protocol.
pub const CUSTOM: Code = Code::new("EMP0137");
/// A credential is a `Secret`.
pub const CREDENTIAL: Code = Code::new("EMP0138");
/// A setting's field has the setting's type.
pub const SETTING_TYPE: Code = Code::new("EMP0139");
/// There is one settle rule.
pub const SETTLE_TWICE: Code = Code::new("EMP0140");
/// A status code is one that HTTP has.
pub const STATUS_CODE: Code = Code::new("EMP0141");
/// A header's name is an HTTP token.
pub const HEADER_NAME: Code = Code::new("EMP0143");
/// A list has an element.
pub const EMPTY: Code = Code::new("EMP0144");
/// An origin is a host name.
pub const ORIGIN: Code = Code::new("EMP0145");
/// The registry can name the connector.
pub const NOT_VISIBLE: Code = Code::new("EMP0146");
/// The compiler of declarations does not panic.
pub const BUG: Code = Code::new("EMP0199");

/// The table, in the order of the codes.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: NOT_A_STRUCT,
        title: "a connector is a struct with named fields",
        why: "each field is one variable of the environment, and the engine asks for it by the field's name",
        help: "write `struct Name { .. }`; a connector without variables is `struct Name {}`",
        example: "/// Says hello.\n#[derive(Connector)]\nstruct Hello {}",
    },
    Entry {
        code: GENERIC,
        title: "a connector has no generic parameters",
        why: "the registry holds one value of each connector type, so the type must be complete",
        help: "remove the parameters; use one struct for each variant",
        example: "struct Hello {}",
    },
    Entry {
        code: NO_DESCRIPTION,
        title: "a connector has a doc comment",
        why: "it is the description in `emp connector show`, in the reference page and in the JSON Schema",
        help: "write what the service does in a `///` comment above `#[derive(Connector)]`",
        example: "/// Makes images with Replicate.\n#[derive(Connector)]",
    },
    Entry {
        code: NO_SETTLE_RULE,
        title: "a billable submit says what a lost answer means",
        why: "when the connection breaks after the request was sent, nobody knows whether the service accepted and billed the job; sending it again may pay twice",
        help: "add one of `idempotent(header(\"Idempotency-Key\"), ttl = \"24h\")`, `assign_id = uuid`, `lookup(..)`, `at_most_once`, `at_least_once`, or say `billable = false`",
        example: "#[submit(post = \"/jobs\", json { \"prompt\": payload.prompt }, at_most_once)]",
    },
    Entry {
        code: SYNTAX,
        title: "the declaration can be read",
        why: "the attribute's grammar does not allow this here",
        help: "compare with the example of the attribute in the docs of `emp_core::Connector`",
        example: "#[poll(get = \"/jobs/{job.id}\", progress = \"$.progress\" | percent)]",
    },
    Entry {
        code: UNKNOWN_KEY,
        title: "a key is one that its attribute knows",
        why: "a key that nobody reads would be ignored, and the declaration would not do what it says",
        help: "use one of the keys that the message lists",
        example: "#[pace(first = \"2s\", max = \"30s\")]",
    },
    Entry {
        code: DUPLICATE,
        title: "everything is said once",
        why: "of two values only one can hold, and a reader cannot see which",
        help: "remove one of the two",
        example: "#[pace(first = \"2s\")]",
    },
    Entry {
        code: MISSING_ATTRIBUTE,
        title: "the attributes that a connector needs are there",
        why: "without it the engine does not know how to speak to the service",
        help: "add the attribute that the message names",
        example: "#[http(base = \"https://api.example.com\")]\n#[auth(bearer = api_key)]\n#[submit(post = \"/jobs\", at_most_once)]",
    },
    Entry {
        code: MISSING_KEY,
        title: "the keys that an attribute needs are there",
        why: "the attribute means nothing without it",
        help: "add the key that the message names",
        example: "#[connector(service = \"replicate\", version = \"1.0.0\")]",
    },
    Entry {
        code: WRONG_FORM,
        title: "a key is written in its form",
        why: "a flag stands alone, a value follows `=`, a list of parts stands in parentheses",
        help: "write the key as the message shows",
        example: "#[submit(post = \"/jobs\", feeds_poll, capture(id = \"$.id\"), at_most_once)]",
    },
    Entry {
        code: SERVICE_NAME,
        title: "a service name is `[a-z0-9_-]{1,64}`",
        why: "it stands in URLs, in the mapping and in the names of queues",
        help: "use lower-case letters, digits, `-` and `_`",
        example: "#[connector(service = \"my-service\", version = \"1.0.0\")]",
    },
    Entry {
        code: VERSION,
        title: "a version is semver",
        why: "jobs record the version that ran them, and versions must be comparable",
        help: "write three numbers: `version = \"1.0.0\"`",
        example: "#[connector(service = \"replicate\", version = \"1.0.0\")]",
    },
    Entry {
        code: BASE,
        title: "a base is an https URL",
        why: "a plain http connection shows the credential and the payload to everybody on the way",
        help: "write `https://`, or `allow_http` beside the base when the network is yours",
        example: "#[http(base = \"https://api.example.com\")]",
    },
    Entry {
        code: PATH,
        title: "a path begins with `/`",
        why: "it is appended to the base; another host can only come from the service itself, as a captured URL",
        help: "begin the path with `/`, or name a captured URL: `get = job.poll_url`",
        example: "#[poll(get = \"/jobs/{job.id}\")]",
    },
    Entry {
        code: JSON_PATH,
        title: "a selector is a JSONPath of the supported subset",
        why: "paths are parsed now, so that they cannot fail while a job runs",
        help: "see RFC 9535: `$.a.b`, `$['a b']`, `$[0]`, `$.list[*].x`, `$..x`, `$[?@.type=='text']`",
        example: "#[states(at = \"$.status\", succeeded = [\"done\"], unknown = failed)]",
    },
    Entry {
        code: TEMPLATE,
        title: "a text with holes can be read",
        why: "holes are parsed now, so that they cannot fail while a job runs",
        help: "a hole is `{payload.x}`, `{env.field}`, `{job.id}` or `{queue.job_id}`; a literal brace is `{{`",
        example: "#[poll(get = \"/jobs/{job.id}\")]",
    },
    Entry {
        code: VALUE,
        title: "a value can be read",
        why: "durations, sizes and rates have a unit, and numbers their type",
        help: "write a duration as \"30s\", a size as \"10MB\", a rate as \"150/10s\"",
        example: "#[limits(rate = \"150/10s\", max_response = \"8MiB\")]",
    },
    Entry {
        code: UNKNOWN_WORD,
        title: "a word is one of a closed list",
        why: "states, kinds, reducers and roots are closed lists: the engine has code for each of them",
        help: "use one of the words that the message lists",
        example: "#[states(rules(code == 404 => lost))]",
    },
    Entry {
        code: UNKNOWN_FIELD,
        title: "`env.x` names a field of the struct",
        why: "its value comes from the environment through that field",
        help: "add the field with `#[env(\"NAME\")]`, or correct the name",
        example: "#[env(\"MODEL\", default = \"small\")]\nmodel: String,",
    },
    Entry {
        code: SECRET_PLACE,
        title: "a secret stands in `#[auth]` only",
        why: "URLs, bodies and other headers are logged, stored and shown; a credential in them leaks",
        help: "put it into `#[auth(..)]`: `bearer = field`, `header(\"x-key\") = \"{field}\"` or `query(\"key\") = \"{field}\"`",
        example: "#[auth(header(\"x-key\") = \"{api_key}\")]",
    },
    Entry {
        code: NOT_CAPTURED,
        title: "`job.x` is captured by the submit",
        why: "nothing else can give it a value",
        help: "capture it: `capture(x = \"$.x\")` in `#[submit]`",
        example: "#[submit(post = \"/jobs\", capture(id = \"$.id\", poll_url = \"$.urls.get\"), at_most_once)]",
    },
    Entry {
        code: NO_ENV,
        title: "every field says its variable",
        why: "a connector is made from the environment and from nothing else",
        help: "write `#[env(\"NAME\")]` above the field",
        example: "#[env(\"REPLICATE_API_TOKEN\")]\napi_token: Secret,",
    },
    Entry {
        code: DUPLICATE_VARIABLE,
        title: "a variable fills one field",
        why: "two fields with one variable could have two defaults and two types",
        help: "use one field for both places",
        example: "#[env(\"MODEL\")]\nmodel: String,",
    },
    Entry {
        code: ENV_OPTION,
        title: "an option of `#[env]` fits the field's type",
        why: "a range needs numbers, a unit needs a duration, and a secret has no default",
        help: "remove the option or change the field's type",
        example: "#[env(\"TIMEOUT\", default = \"30s\", range = 1..=600)]\ntimeout: Duration,",
    },
    Entry {
        code: ENV_DEFAULT,
        title: "a default is valid for its field",
        why: "a default that cannot be read would fail only on the machine where the variable is not set",
        help: "write a default of the field's type and inside its range",
        example: "#[env(\"SLOTS\", default = 4, range = 1..=64)]\nslots: u32,",
    },
    Entry {
        code: VARIABLE_NAME,
        title: "a variable's name is `[A-Z_][A-Z0-9_]*`",
        why: "other names cannot be set by every shell, compose file and orchestrator",
        help: "use upper-case letters, digits and `_`",
        example: "#[env(\"REPLICATE_API_TOKEN\")]",
    },
    Entry {
        code: NO_UNKNOWN,
        title: "a status vocabulary is total",
        why: "services add statuses without notice; a word that nobody declared must neither end a paid job nor hang it for ever by accident",
        help: "add `unknown = running(warn)` (goes on until `max_unknown`) or `unknown = failed`",
        example: "#[states(at = \"$.status\", succeeded = [\"done\"], unknown = running(warn))]",
    },
    Entry {
        code: SAME_WORD,
        title: "a status word has one meaning",
        why: "the second meaning could never apply",
        help: "keep the word in one of the two sets",
        example: "#[states(at = \"$.status\", running = [\"working\"], succeeded = [\"done\"], unknown = failed)]",
    },
    Entry {
        code: NO_SUCCESS,
        title: "a job can succeed",
        why: "without a word or rule for success every job would run into its deadline",
        help: "add `succeeded = [\"..\"]`, or a rule such as `code == 200 => succeeded`",
        example: "#[states(rules(code == 200 => succeeded))]",
    },
    Entry {
        code: MODE,
        title: "the attributes fit the mode",
        why: "a sync service answers the submit with the result, so there is no service job to ask after; a polled one needs `#[poll]`",
        help: "use `mode = sync` without `#[poll]`, or `#[poll(..)]` without `mode = sync`",
        example: "#[connector(service = \"openai\", version = \"1.0.0\", mode = sync)]",
    },
    Entry {
        code: NO_ID,
        title: "a polled job has an id",
        why: "the id is stored before the first poll, so that another worker can go on after a crash instead of paying again",
        help: "add `capture(id = \"$.id\")` to `#[submit]`, or `assign_id = uuid`",
        example: "#[submit(post = \"/jobs\", capture(id = \"$.id\"), at_most_once)]",
    },
    Entry {
        code: KEY_PLACE,
        title: "an idempotency key or an assigned id really reaches the service",
        why: "a key that is not sent, or is sent twice, protects nothing",
        help: "let the key stand in one header or one member, and send `job.assigned_id` where `assign_id` is declared",
        example: "#[submit(post = \"/jobs\", json { \"id\": job.assigned_id }, assign_id = uuid, capture(id = \"$.id\"))]",
    },
    Entry {
        code: NOT_HERE,
        title: "a reference has a value where it stands",
        why: "a submit has no service job yet, and a health probe has no job at all",
        help: "use a value that exists at that moment: the message says which",
        example: "#[health(get = \"/health\")]",
    },
    Entry {
        code: RANGE,
        title: "numbers are in their range",
        why: "a wait that shrinks, a negative jitter or an attempt count of 0 would stop or flood the service",
        help: "correct the number as the message says",
        example: "#[pace(first = \"1s\", min = \"1s\", max = \"30s\", factor = 1.5, jitter = 0.2)]",
    },
    Entry {
        code: REGEX,
        title: "a regular expression compiles",
        why: "expressions are checked now, so that they cannot fail while a job runs",
        help: "see the syntax of the `regex` crate: no look-around and no back-references",
        example: "#[states(rules(\"$.message\" matches r\"(?i)out of memory\" => failed(capacity)))]",
    },
    Entry {
        code: DUPLICATE_MEMBER,
        title: "a member, header or query key is written once",
        why: "the service would see one of the two, and which one is not defined",
        help: "remove one of the two",
        example: "json { \"model\": payload.model }",
    },
    Entry {
        code: CUSTOM,
        title: "a custom connector declares no protocol",
        why: "its protocol is the type's own `CustomConnector::run`; the attribute would never be used",
        help: "remove the attribute, or remove `custom`",
        example: "#[connector(service = \"odd\", version = \"1.0.0\", custom)]",
    },
    Entry {
        code: CREDENTIAL,
        title: "a credential is a `Secret`",
        why: "only a `Secret` is kept out of logs, errors and `Debug`",
        help: "declare the field as `Secret` (or `Option<Secret>`)",
        example: "#[env(\"API_KEY\")]\napi_key: Secret,",
    },
    Entry {
        code: SETTING_TYPE,
        title: "a setting's field has the setting's type",
        why: "a timeout needs a duration or seconds, a limit a whole number, a base a URL",
        help: "change the field's type as the message says",
        example: "#[env(\"TIMEOUT\", default = \"60s\")]\ntimeout: Duration,",
    },
    Entry {
        code: SETTLE_TWICE,
        title: "there is one settle rule",
        why: "after a lost answer only one thing can be done",
        help: "keep one of them",
        example: "#[submit(post = \"/jobs\", at_most_once)]",
    },
    Entry {
        code: STATUS_CODE,
        title: "a status code is one that HTTP has",
        why: "no answer could ever match",
        help: "write a code from 100 to 599, or a class such as `5xx`",
        example: "#[errors(401 | 403 => auth, 5xx => transient)]",
    },
    Entry {
        code: HEADER_NAME,
        title: "a header's name is an HTTP token",
        why: "the request could not be sent",
        help: "use letters, digits and `-`",
        example: "header(\"X-Request-Source\" = \"emp\")",
    },
    Entry {
        code: EMPTY,
        title: "a list has an element",
        why: "an empty list says nothing",
        help: "write an element or remove the key",
        example: "#[states(at = \"$.status\", succeeded = [\"done\"], unknown = failed)]",
    },
    Entry {
        code: ORIGIN,
        title: "an origin is a host name",
        why: "the credential and the follow rules go by host, never by path",
        help: "write a host such as `api.example.com`, or `*.example.com` for the hosts below it",
        example: "#[origins(follow = [\"*.example.com\"])]",
    },
    Entry {
        code: NOT_VISIBLE,
        title: "the registry can name the connector",
        why: "the generated registry is at the root of the crate, and a type that is private to its file cannot be named there",
        help: "write `pub struct` or `pub(crate) struct`; a connector of a test or an example says `unregistered`",
        example: "pub struct Hello {}",
    },
];

/// The last of the derive's codes, after those of every later table.
pub const LAST: &[Entry] = &[Entry {
    code: BUG,
    title: "the compiler of declarations does not panic",
    why: "a declaration, however wrong, must be answered with an error about it",
    help: "this is a bug in EMP: please report it with the declaration",
    example: "#[derive(Connector)]",
}];
