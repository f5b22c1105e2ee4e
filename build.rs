//! Finds the connectors, checks the mapping against them, writes the registry.

fn main() {
    emp_build::connectors("connectors").mapping("service-mapping.json").emit();
}
