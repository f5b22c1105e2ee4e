//! The stock connectors, each against a fake made from its own declaration.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

mod batches;
mod bench;
mod canary;
mod comfyui;
mod contract;
mod crash;
mod declared;
mod ends;
mod files;
mod language;
mod playwright;
mod promises;
mod services;
mod sockets;
mod streams;
mod tables;
mod verdicts;
mod vocabularies;
mod worker;
