//! Fake services made from a connector's spec, and faults on demand.
