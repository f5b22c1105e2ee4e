//! A whole build.rs, as a program: `cargo xtask bench build` runs it over trees of many sizes.

fn main() {
    emp_build::connectors("connectors").mapping("service-mapping.json").emit();
}
