//! Evaluates a connector's spec, and makes every outbound request.
