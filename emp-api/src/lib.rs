//! The HTTP job API.
