//! The environment as a script for any POSIX shell: `. ./emp.env.sh`. What is set already stays; a required variable that is unset stops
//! the shell with our sentence; a secret has no value here.

use std::collections::BTreeMap;

use crate::plan::MachinePlan;
use crate::variable::{FILE, Source, Variable};

pub(super) fn write(plan: &MachinePlan) -> String {
    // What one process of several has from the plan, such as its port, is no variable of the machine.
    let variables = plan.workers.iter().flat_map(|process| &process.variables);
    let mut by_name: BTreeMap<&str, &Variable> = BTreeMap::new();
    for variable in variables.filter(|variable| variable.source != Source::Plan) {
        let known = by_name.entry(&variable.name).or_insert(variable);
        if variable.required {
            *known = variable;
        }
    }
    let head =
        "# The environment of these workers, written by `emp export env`. Use it with `. ./emp.env.sh`.\n"
            .to_owned();
    by_name.into_values().fold(head, |text, variable| text + "\n" + &lines(variable))
}

fn lines(variable: &Variable) -> String {
    let about =
        variable.description.lines().fold(String::new(), |text, line| text + "# " + line.trim() + "\n");
    let name = &variable.name;
    let is_set = format!("[ -n \"${{{name}:-}}\" ]");
    let rest = match (variable.secret, &variable.default, variable.required) {
        (true, _, true) => {
            let message = quoted(&variable.sentence());
            format!(
                "{is_set} || [ -n \"${{{name}{FILE}:-}}\" ] || {{ echo {message} >&2; return 3 2>/dev/null || exit 3; }}\n"
            )
        }
        (false, Some(default), _) => format!("{is_set} || {name}={}\n", quoted(default)),
        (false, None, true) => {
            let message = quoted(&variable.sentence());
            format!("{is_set} || {{ echo {message} >&2; return 3 2>/dev/null || exit 3; }}\n")
        }
        (true, _, false) | (false, None, false) => String::new(),
    };
    format!("{about}{rest}[ -z \"${{{name}:-}}\" ] || export {name}\n")
}

/// A word of a shell that nothing in it steers.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
