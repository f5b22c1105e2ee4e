//! Claims jobs, drives the engine, survives crashes without paying twice.
