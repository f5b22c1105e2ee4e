//! What each part of a protocol is when a declaration says nothing of it; the base of a spec that is written by hand.

use std::borrow::Cow;

use emp_syntax::template::Template;

use super::{
    Auth, Base, Body, Download, Errors, Follow, HttpProtocol, Outcome, Poll, RequestSpec, Settle, States,
    Submit, Unknown, UrlSpec,
};

impl HttpProtocol {
    /// A protocol of which nothing is said: no credential, no poll, and a submit that is never repeated.
    pub const DEFAULT: Self = Self {
        base: Base::Env("base_url"),
        allow_hosts: &[],
        follow: Follow::SelfOnly,
        download: Download::DEFAULT,
        auth: Auth::None,
        prepare: &[],
        operations: &[],
        submit: Submit::DEFAULT,
        poll: None,
        states: States::DEFAULT,
        outcome: Outcome::DEFAULT,
        errors: Errors::DEFAULT,
        cancel: None,
        cleanup: None,
        health: None,
        stream: None,
        websocket: None,
        webhook: None,
        batch_poll: None,
        side_progress: None,
    };
}

impl RequestSpec {
    /// A GET of the base.
    pub const DEFAULT: Self = Self {
        method: "GET",
        url: UrlSpec::Path(Template { parts: Cow::Borrowed(&[]) }),
        query: &[],
        headers: &[],
        body: Body::None,
        max_body: None,
        timeout: None,
    };
}

impl Submit {
    /// A billable submit that is never repeated.
    pub const DEFAULT: Self = Self {
        request: RequestSpec { method: "POST", ..RequestSpec::DEFAULT },
        envelope: None,
        accept: &[],
        capture: &[],
        feeds_poll: false,
        hold: None,
        billable: true,
        settle: Settle::AtMostOnce,
        rejects: &[],
    };
}

impl Poll {
    /// A poll that tells no progress.
    pub const DEFAULT: Self = Self {
        request: RequestSpec::DEFAULT,
        envelope: None,
        also: &[],
        echo: &[],
        listed: None,
        hold: None,
        progress: &[],
        progress_text: &[],
        queue_position: &[],
        eta: &[],
        logs: &[],
        preview: &[],
    };
}

impl States {
    /// No vocabulary and no rules.
    pub const DEFAULT: Self =
        Self { at: &[], fold_case: false, sets: &[], unknown: Unknown::Failed, rules: &[], judge: None };
}

impl Errors {
    /// No text, no code, and the status code decides.
    pub const DEFAULT: Self = Self { message: &[], code: &[], rules: &[], classify: None, retry: &[] };
}
