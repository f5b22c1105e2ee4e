//! The codes of this crate's findings, as texts; their rows are in [`emp_codegen::catalogue`].

use emp_codegen::catalogue::{machine, mapping as rows, openapi};

macro_rules! codes {
    ($rows:ident: $($name:ident),* $(,)?) => { $(pub(crate) const $name: &str = $rows::$name.as_str();)* };
}

codes!(
    rows: UNREADABLE,
    SYNTAX,
    SHAPE,
    UNKNOWN_KEY,
    DUPLICATE_KEY,
    NOT_RUST,
    UNDECLARED,
    NO_SOURCE,
    WRONG_PATH,
    UNUSED,
    SAME_NAME,
    FOREIGN_PATH,
    ELSEWHERE,
    NOT_A_NAME,
    UNKNOWN_VARIABLE,
    MISSING_VARIABLE,
    UNREAD,
    TWO_DEFAULTS,
    TWO_KINDS,
    SHOWN_SECRET,
    NO_TEMPLATE,
    BAD_TEMPLATE,
    BAD_VALUE,
);

codes!(
    machine:
    INTERNAL_LACKS,
    EXTERNAL_HAS,
    UNKNOWN_BINDING,
    WRONG_BINDING,
    UNUSED_BINDING,
    VARIABLE_BINDING,
    UNKNOWN_STAGE,
    NO_DOCKERFILE,
    UNUSED_STAGE,
    BAD_DOCKERFILE,
    AMBIGUOUS_STAGE,
    PRIVILEGED,
    OWN_PORT,
    CLASH,
    NO_INCREMENT,
    PORT_RANGE,
    MISFIT,
    SEVERAL_CONNECTORS,
    OTHER_SERVICE,
    NO_CAPABILITY,
    WORKER_NAME,
    NO_REASON,
    NOT_ALLOWED,
    UNUSED_ALLOW,
);

codes!(openapi: SLICE, OPERATION, WORD, PATH, KIND, REQUIRED, ILLEGAL, CODES, CREDENTIAL, LOOK);
