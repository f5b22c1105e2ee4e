//! The derive macro of EMP connectors: the door between rustc and `emp_codegen`, and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro::TokenStream;

#[doc = include_str!("../REFERENCE.md")]
#[proc_macro_derive(
    Connector,
    attributes(
        connector,
        env,
        http,
        origins,
        auth,
        prepare,
        submit,
        poll,
        states,
        outcome,
        errors,
        cancel,
        pace,
        limits,
        health,
        openapi,
        stream,
        websocket,
        cleanup,
        webhook,
        batch_poll,
        variant,
        side_progress
    )
)]
pub fn connector(input: TokenStream) -> TokenStream {
    let input = proc_macro2::TokenStream::from(input);
    // A panic would reach the author as "proc-macro derive panicked", without a place and without advice.
    catch_unwind(AssertUnwindSafe(|| emp_codegen::derive(input)))
        .unwrap_or_else(|_| emp_codegen::bug())
        .into()
}
