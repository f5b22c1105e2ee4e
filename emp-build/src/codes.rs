//! The codes of this crate's findings, as texts; their rows are in [`emp_codegen::catalogue`].

use emp_codegen::catalogue::{mapping as rows, openapi};

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
    NOT_A_NAME,
    UNKNOWN_VARIABLE,
    MISSING_VARIABLE,
    BAD_TEMPLATE,
    BAD_VALUE,
);

codes!(openapi: SLICE, OPERATION, WORD, PATH, KIND, REQUIRED, ILLEGAL, CODES, CREDENTIAL, LOOK);
