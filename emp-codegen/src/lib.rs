//! From a declaration's tokens to its spec, and from the spec to the generated code.
