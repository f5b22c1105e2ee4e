//! Build-script library: finds connectors, checks service-mapping.json, writes the registry.
