//! The `emp` command with the connectors of this package. A package of your own has the same three lines.

fn main() -> std::process::ExitCode {
    emp_cli::main(&emp::REGISTRY)
}
