//! `service-mapping.json`: the types that read it and describe it.
