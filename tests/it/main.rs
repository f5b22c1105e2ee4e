//! The stock connectors, each against a fake made from its own declaration.
#![allow(clippy::expect_used, reason = "a helper of a test may fail it")]

mod bench;
mod canary;
mod comfyui;
mod contract;
mod crash;
mod declared;
mod ends;
mod files;
mod playwright;
mod promises;
mod services;
mod sockets;
mod streams;
mod verdicts;
mod vocabularies;
mod worker;
