//! From where the registry can name a connector.

#![allow(clippy::expect_used)] // a helper of tests

use emp_codegen::diag::Sink;
use emp_codegen::{check, parse};

fn codes(visibility: &str, more: &str) -> Vec<String> {
    let text = format!(
        "/// Echoes.\n#[connector(service = \"echo\", version = \"1.0.0\", custom{more})]\n{visibility} struct Echo {{}}"
    );
    let input = syn::parse_str(&text).expect("a struct");
    let sink = Sink::new();
    let raw = parse::connector(&input, &sink).expect("a declaration");
    let _ = check::connector(raw, &sink);
    sink.into_diagnostics().iter().map(|mistake| mistake.code.to_string()).collect()
}

#[test]
fn a_connector_that_the_root_of_the_crate_cannot_name_is_a_mistake_of_its_own() {
    for visible in ["pub", "pub(crate)", "pub(in crate)"] {
        assert_eq!(codes(visible, ""), [""; 0], "{visible}");
    }
    for hidden in ["", "pub(self)", "pub(super)", "pub(in crate::connectors)"] {
        assert_eq!(codes(hidden, ""), ["EMP0146"], "{hidden}");
        assert_eq!(codes(hidden, ", unregistered"), [""; 0], "{hidden}");
    }
}
