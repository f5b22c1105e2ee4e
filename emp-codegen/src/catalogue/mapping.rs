//! `EMP020x` to `EMP022x` and `EMP03xx`: mistakes in `service-mapping.json`, between files, and in environments.

use super::{Code, Entry};

/// A file cannot be read.
pub const UNREADABLE: Code = Code::new("EMP0201");
/// The mapping is not JSON.
pub const SYNTAX: Code = Code::new("EMP0202");
/// A value has the wrong shape.
pub const SHAPE: Code = Code::new("EMP0203");
/// A key means nothing.
pub const UNKNOWN_KEY: Code = Code::new("EMP0204");
/// A key stands twice in one object.
pub const DUPLICATE_KEY: Code = Code::new("EMP0205");
/// A source file is not Rust.
pub const NOT_RUST: Code = Code::new("EMP0206");
/// A worker names a connector that the mapping does not declare.
pub const UNDECLARED: Code = Code::new("EMP0210");
/// The mapping declares a connector that no source has.
pub const NO_SOURCE: Code = Code::new("EMP0211");
/// A declared path names a file that does not have the connector.
pub const WRONG_PATH: Code = Code::new("EMP0212");
/// A connector that no worker uses.
pub const UNUSED: Code = Code::new("EMP0213");
/// Two connectors with one name.
pub const SAME_NAME: Code = Code::new("EMP0214");
/// A declared path names something else than Rust source.
pub const FOREIGN_PATH: Code = Code::new("EMP0215");
/// A worker uses a connector whose `cfg` does not hold.
pub const ELSEWHERE: Code = Code::new("EMP0216");
/// An entry of `required_env` is not a name.
pub const NOT_A_NAME: Code = Code::new("EMP0220");
/// An entry of `required_env` that no connector of the worker reads.
pub const UNKNOWN_VARIABLE: Code = Code::new("EMP0221");
/// A required variable that is missing from `required_env`.
pub const MISSING_VARIABLE: Code = Code::new("EMP0222");
/// A variable of the mapping that nobody reads.
pub const UNREAD: Code = Code::new("EMP0223");
/// One variable with two defaults.
pub const TWO_DEFAULTS: Code = Code::new("EMP0224");
/// One variable that is read as two kinds of thing.
pub const TWO_KINDS: Code = Code::new("EMP0225");
/// A credential that is read as plain text somewhere.
pub const SHOWN_SECRET: Code = Code::new("EMP0226");
/// A template where none is expanded.
pub const NO_TEMPLATE: Code = Code::new("EMP0227");
/// A `${}` template that cannot be read.
pub const BAD_TEMPLATE: Code = Code::new("EMP0301");
/// A value that is not of its field's kind.
pub const BAD_VALUE: Code = Code::new("EMP0302");

/// The table.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: UNREADABLE,
        title: "a file that is needed cannot be read",
        why: "the check compares service-mapping.json with the sources in connectors/: without one of them there is nothing to compare",
        help: "create the file, or name another one: `emp check --mapping FILE --connectors DIR`",
        example: r#"emp_build::connectors("connectors").mapping("service-mapping.json").emit()"#,
    },
    Entry {
        code: SYNTAX,
        title: "the mapping is not JSON",
        why: "a text that is not JSON has no meaning after the mistake, so nothing else of it is checked",
        help: "mend the place that is shown; JSON has no comments, no single quotes and no comma before a closing bracket",
        example: r#"{ "connectors": {}, "workers": {} }"#,
    },
    Entry {
        code: SHAPE,
        title: "a value of the mapping has the wrong shape",
        why: "schemas/service-mapping.schema.json says what each key holds; a worker could not be started from anything else",
        help: "write what the message asks for; an editor that reads the file's `$schema` completes it",
        example: r#""service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }]"#,
    },
    Entry {
        code: UNKNOWN_KEY,
        title: "a key of the mapping means nothing",
        why: "an unknown key is most often a slip of the pen, and what it was to say would silently not happen",
        help: "write the key that was meant, or take it out",
        example: r#""resource_binding": "shared""#,
    },
    Entry {
        code: DUPLICATE_KEY,
        title: "a key stands twice in one object",
        why: "JSON readers keep one of the two and drop the other without a word, and they do not agree which",
        help: "keep one of them, or give the second one another name",
        example: r#""workers": { "openai": {}, "openai-batch": {} }"#,
    },
    Entry {
        code: NOT_RUST,
        title: "a file of the connectors folder is not Rust",
        why: "a text that is not Rust has no tokens, so nobody can say which connectors it declares",
        help: "mend the place that is shown; `cargo check` shows it with more words",
        example: "#[derive(Connector)]\npub struct MyServiceConnector {}",
    },
    Entry {
        code: UNDECLARED,
        title: "a worker uses a connector that the mapping does not declare",
        why: "`connectors` lists what the workers may use; a name that is not in it is a slip of the pen or was forgotten",
        help: "declare it under `connectors`, or use one that is declared there",
        example: r#""connectors": { "MyServiceConnector": { "description": "MyService API" } }"#,
    },
    Entry {
        code: NO_SOURCE,
        title: "a declared connector does not exist in the source",
        why: "a worker that needs it could not start: nothing with `#[derive(Connector)]` has that name",
        help: "write the connector into a file of connectors/, or take the declaration out",
        example: "#[derive(Connector)]\n#[connector(service = \"my-service\", version = \"1.0.0\")]\npub struct MyServiceConnector {}",
    },
    Entry {
        code: WRONG_PATH,
        title: "a declared path names a file that does not have the connector",
        why: "the path tells readers where to look; a wrong one sends them to the wrong file",
        help: "write the path of the file that has the connector, relative to the mapping, or leave `path` out",
        example: r#""MyServiceConnector": { "path": "./connectors/my_service.rs" }"#,
    },
    Entry {
        code: UNUSED,
        title: "no worker uses a connector",
        why: "a connector that nobody runs is dead weight, and often the sign of a worker that was forgotten",
        help: "let a worker use it, or take it out",
        example: r#""service": [{ "capability": "my-service", "connector": "MyServiceConnector", "type": "external" }]"#,
    },
    Entry {
        code: SAME_NAME,
        title: "two connectors have one name",
        why: "the mapping knows a connector by its type's name, so two of them cannot be told apart",
        help: "give one of the two another name",
        example: "pub struct OpenAiChatConnector {}\npub struct OpenAiImageConnector {}",
    },
    Entry {
        code: FOREIGN_PATH,
        title: "a declared path is not a Rust source file",
        why: "connectors are found by their names and compiled in; the bundle that such a path names is never loaded",
        help: "leave `path` out, or write the connector's source file",
        example: r#""MyServiceConnector": { "path": "./connectors/my_service.rs" }"#,
    },
    Entry {
        code: ELSEWHERE,
        title: "a worker uses a connector that this build leaves out",
        why: "the connector's `cfg` does not hold for the target, so the program would not have it and the worker could not start",
        help: "build for a target or with the features that have it, or leave its worker out of this mapping",
        example: "#[cfg(unix)]\n#[derive(Connector)]\npub struct LocalGpuConnector {}",
    },
    Entry {
        code: NOT_A_NAME,
        title: "an entry of required_env is not the name of a variable",
        why: "required_env lists names: a template or a value in it stands for no variable, so it can never be found to be set",
        help: "write the bare name",
        example: r#""required_env": ["OPENAI_API_KEY"]"#,
    },
    Entry {
        code: UNKNOWN_VARIABLE,
        title: "required_env asks for a variable that no connector of the worker reads",
        why: "the worker would refuse to start for want of something that nobody looks at",
        help: "write the name that the connector declares with `#[env(..)]`, or take the entry out",
        example: "#[env(\"OPENAI_API_KEY\")]\napi_key: Secret,",
    },
    Entry {
        code: MISSING_VARIABLE,
        title: "a variable that a connector requires is missing from required_env",
        why: "the worker would be started without it and stop at once, with the fault found at run time only",
        help: "add the name to the worker's required_env",
        example: r#""required_env": ["MY_SERVICE_API_KEY"]"#,
    },
    Entry {
        code: UNREAD,
        title: "a variable of the mapping is read by nobody",
        why: "`api_config` shows what the connectors read; whoever sets a variable that none of them reads changes nothing, and finds out late",
        help: "let the connector declare it with `#[env(..)]`, or take it out of the mapping",
        example: r#""api_config": { "base_url": "${MY_SERVICE_BASE_URL:-https://api.myservice.com}" }"#,
    },
    Entry {
        code: TWO_DEFAULTS,
        title: "one variable has two defaults",
        why: "who sets nothing gets one value here and another there, and reads only one of them",
        help: "write the same default in both places, or none in the mapping",
        example: "#[env(\"MY_SERVICE_BASE_URL\", default = \"https://api.myservice.com\")]\nbase_url: Url,",
    },
    Entry {
        code: TWO_KINDS,
        title: "one variable is read as two kinds of thing",
        why: "a text that is right for one reader is wrong for the other, or means a thousand times as much to it",
        help: "read it as the same in all places, or give each reader a variable of its own",
        example: "#[env(\"MY_SERVICE_TIMEOUT\", default = \"30s\", unit = s)]\ntimeout: Duration,",
    },
    Entry {
        code: SHOWN_SECRET,
        title: "a credential is read as plain text",
        why: "what is not declared as a secret is shown: in plans, in exports, in logs; a default for one would be a key in a file",
        help: "let only the connector read it, as a `Secret`",
        example: "#[env(\"MY_SERVICE_API_KEY\")]\napi_key: Secret,",
    },
    Entry {
        code: NO_TEMPLATE,
        title: "a template stands where none is expanded",
        why: "capabilities, connectors, stages, installers and paths are names: the build compares them, so they cannot change afterwards",
        help: "write the name itself",
        example: r#""build_stage": "comfyui""#,
    },
];

/// The codes of templates, which come after those of the machine.
pub const LAST: &[Entry] = &[
    Entry {
        code: BAD_TEMPLATE,
        title: "a ${} template cannot be read",
        why: "templates mean what bash makes of them; a text that bash refuses has no meaning here either",
        help: "write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign by itself is $$",
        example: r#""base_url": "${MY_SERVICE_BASE_URL:-https://api.myservice.com}""#,
    },
    Entry {
        code: BAD_VALUE,
        title: "a value or a template's default is not valid for its field",
        why: "the default is what everybody gets who sets nothing, so a wrong one fails for all of them",
        help: "write a value of the kind that the message asks for",
        example: r#""ports": ["${COMFYUI_BASE_PORT:-8188}"]"#,
    },
];
