//! The parts of a protocol as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::hook;
use super::limits::{places, with_default};
use super::print::{Print, option, slice};
use crate::spec::{
    Auth, AuthPart, Base, Capture, Errors, Follow, Health, HookKind, Http, KeyPlace, Lookup, Operation, Pair,
    PairValue, Poll, Request, Settle, States, Submit, Target, Unknown,
};

impl Print for Http {
    fn print(&self) -> TokenStream {
        let base = self.base.print();
        let allow_hosts = slice(&self.allow_hosts);
        let follow = match &self.follow {
            Follow::SelfOnly => quote!(SelfOnly),
            Follow::Hosts(hosts) => {
                let hosts = slice(hosts);
                quote!(Hosts(#hosts))
            }
            Follow::Rebase => quote!(Rebase),
        };
        let download = self.download.print();
        let (auth, submit, states) = (self.auth.print(), self.submit.print(), self.states.print());
        let (prepare, operations) = (slice(&self.prepare), slice(&self.operations));
        let (outcome, errors) = (self.outcome.print(), self.errors.print());
        let poll = option(self.poll.as_ref().map(Print::print));
        let cancel = option(self.cancel.as_ref().map(Print::print));
        let cleanup = option(self.cleanup.as_ref().map(Print::print));
        let health = option(self.health.as_ref().map(Print::print));
        let stream = option(self.stream.as_ref().map(Print::print));
        let webhook = option(self.webhook.as_ref().map(Print::print));
        let websocket = option(self.websocket.as_ref().map(Print::print));
        let batch_poll = option(self.batch_poll.as_ref().map(Print::print));
        let side_progress = option(self.side_progress.as_ref().map(Print::print));
        quote! {
            __emp::spec::HttpProtocol {
                base: #base,
                allow_hosts: #allow_hosts,
                follow: __emp::spec::Follow::#follow,
                download: #download,
                auth: #auth,
                prepare: #prepare,
                operations: #operations,
                submit: #submit,
                poll: #poll,
                states: #states,
                outcome: #outcome,
                errors: #errors,
                cancel: #cancel,
                cleanup: #cleanup,
                health: #health,
                stream: #stream,
                websocket: #websocket,
                webhook: #webhook,
                batch_poll: #batch_poll,
                side_progress: #side_progress,
            }
        }
    }
}

impl Print for Base {
    fn print(&self) -> TokenStream {
        match self {
            Self::Template(template) => {
                let template = template.print();
                quote!(__emp::spec::Base::Template(#template))
            }
            Self::Env(field) => quote!(__emp::spec::Base::Env(#field)),
        }
    }
}

impl Print for AuthPart {
    fn print(&self) -> TokenStream {
        match self {
            Self::Literal(text) => quote!(__emp::spec::AuthPart::Literal(#text)),
            Self::Field(field) => quote!(__emp::spec::AuthPart::Field(#field)),
        }
    }
}

impl Print for Auth {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::None => quote!(None),
            Self::Header(name, parts) => {
                let parts = slice(parts);
                quote!(Header { name: #name, value: #parts })
            }
            Self::Query(name, parts) => {
                let parts = slice(parts);
                quote!(Query { name: #name, value: #parts })
            }
            Self::Basic(user, password) => {
                let (user, password) = (user.print(), password.print());
                quote!(Basic { user: #user, password: #password })
            }
            Self::Jwt(jwt) => {
                let jwt = jwt.print();
                quote!(Jwt(#jwt))
            }
            Self::OAuth2(oauth2) => {
                let oauth2 = oauth2.print();
                quote!(OAuth2(#oauth2))
            }
        };
        quote!(__emp::spec::Auth::#variant)
    }
}

impl Print for Request {
    fn print(&self) -> TokenStream {
        let method = self.method;
        let url = match &self.url {
            Target::Path(template) => {
                let template = template.print();
                quote!(Path(#template))
            }
            Target::Captured(reference) => {
                let reference = reference.print();
                quote!(Captured(#reference))
            }
        };
        let (query, headers) = (slice(&self.query), slice(&self.headers));
        let body = self.body.as_ref().map_or_else(|| quote!(__emp::spec::Body::None), Print::print);
        let max_body = option(self.max_body.map(proc_macro2::Literal::u64_unsuffixed));
        let timeout = option(self.timeout.as_ref().map(Print::print));
        quote! {
            __emp::spec::RequestSpec {
                method: #method,
                url: __emp::spec::UrlSpec::#url,
                query: #query,
                headers: #headers,
                body: #body,
                max_body: #max_body,
                timeout: #timeout,
            }
        }
    }
}

impl Print for Pair {
    fn print(&self) -> TokenStream {
        let (name, value) = (&self.name.value, self.value.print());
        quote!(__emp::spec::Pair { name: #name, value: #value })
    }
}

impl Print for PairValue {
    fn print(&self) -> TokenStream {
        match self {
            Self::Text(template) => {
                let template = template.print();
                quote!(__emp::spec::PairValue::Text(#template))
            }
            Self::Hole(hole) => {
                let hole = hole.print();
                quote!(__emp::spec::PairValue::Hole(#hole))
            }
        }
    }
}

impl Print for Capture {
    fn print(&self) -> TokenStream {
        let name = &self.name.value;
        let from = slice(&self.from);
        quote!(__emp::spec::Capture { name: #name, from: #from })
    }
}

impl Print for Submit {
    fn print(&self) -> TokenStream {
        let request = self.request.print();
        let (accept, capture, rejects) = (slice(&self.accept), slice(&self.capture), slice(&self.rejects));
        let Self { feeds_poll, billable, .. } = self;
        let envelope = option(self.envelope.as_ref().map(Print::print));
        let hold = option(self.hold.as_ref().map(Print::print));
        let settle = self.settle.print();
        quote! {
            __emp::spec::Submit {
                request: #request,
                envelope: #envelope,
                accept: #accept,
                capture: #capture,
                feeds_poll: #feeds_poll,
                hold: #hold,
                billable: #billable,
                settle: #settle,
                rejects: #rejects,
            }
        }
    }
}

impl Print for Operation {
    fn print(&self) -> TokenStream {
        let (when, submit) = (self.when.print(), self.submit.print());
        let poll = option(self.poll.as_ref().map(Print::print));
        quote!(__emp::spec::Operation { when: #when, submit: #submit, poll: #poll })
    }
}

impl Print for Settle {
    fn print(&self) -> TokenStream {
        let variant = match self {
            Self::Idempotent { key, ttl } => {
                let key = match key {
                    KeyPlace::Header(name) => quote!(Header(#name)),
                    KeyPlace::Field(name) => quote!(Field(#name)),
                };
                let ttl = ttl.print();
                quote!(Idempotent { key: __emp::spec::KeyPlace::#key, ttl: #ttl })
            }
            Self::AssignId { absent_for, resend } => {
                let absent_for = absent_for.print();
                quote!(AssignId { absent_for: #absent_for, resend: #resend })
            }
            Self::Lookup(lookup) => {
                let lookup = lookup.print();
                quote!(Lookup(#lookup))
            }
            Self::AtMostOnce => quote!(AtMostOnce),
            Self::AtLeastOnce => quote!(AtLeastOnce),
        };
        quote!(__emp::spec::Settle::#variant)
    }
}

impl Print for Lookup {
    fn print(&self) -> TokenStream {
        let request = self.request.print();
        let (items, tag, id, wait) =
            (self.items.print(), self.tag.print(), self.id.print(), self.wait.print());
        quote!(__emp::spec::Lookup { request: #request, items: #items, tag: #tag, id: #id, wait: #wait })
    }
}

impl Print for Poll {
    fn print(&self) -> TokenStream {
        let fields = [
            ("request", Some(self.request.print())),
            ("envelope", self.envelope.as_ref().map(|envelope| option(Some(envelope.print())))),
            ("also", (!self.also.is_empty()).then(|| slice(&self.also))),
            ("echo", places(&self.echo)),
            ("listed", self.listed.as_ref().map(|listed| option(Some(listed.print())))),
            ("hold", self.hold.as_ref().map(|hold| option(Some(hold.print())))),
            ("progress", places(&self.progress)),
            ("progress_text", places(&self.progress_text)),
            ("queue_position", places(&self.queue_position)),
            ("eta", places(&self.eta)),
            ("logs", places(&self.logs)),
            ("preview", places(&self.preview)),
        ];
        with_default(&quote!(__emp::spec::Poll), fields.len(), &fields)
    }
}

impl Print for States {
    fn print(&self) -> TokenStream {
        let (at, rules) = (slice(&self.at), slice(&self.rules));
        let fold_case = self.fold_case;
        let sets = self.sets.iter().map(|(verdict, words)| {
            let (verdict, words) = (verdict.print(), slice(words));
            quote!(__emp::spec::StateSet { verdict: #verdict, words: #words })
        });
        let judge = option(self.judge.as_ref().map(|hook| hook::constant(hook, HookKind::Judge)));
        let unknown = match self.unknown {
            Unknown::Running => quote!(Running),
            Unknown::Failed => quote!(Failed),
        };
        quote! {
            __emp::spec::States {
                at: #at,
                fold_case: #fold_case,
                sets: &[#(#sets),*],
                unknown: __emp::spec::Unknown::#unknown,
                judge: #judge,
                rules: #rules,
            }
        }
    }
}

impl Print for Errors {
    fn print(&self) -> TokenStream {
        let (message, code, rules) = (slice(&self.message), slice(&self.code), slice(&self.rules));
        let classify = option(self.classify.as_ref().map(|hook| hook::constant(hook, HookKind::Classify)));
        let retry = slice(&self.retry);
        quote! {
            __emp::spec::Errors {
                message: #message,
                code: #code,
                classify: #classify,
                retry: #retry,
                rules: #rules,
            }
        }
    }
}

impl Print for Health {
    fn print(&self) -> TokenStream {
        let (request, every, metrics) = (self.request.print(), self.every.print(), slice(&self.metrics));
        let ready = option(self.ready.as_ref().map(Print::print));
        quote!(__emp::spec::HealthProbe { request: #request, every: #every, ready: #ready, metrics: #metrics })
    }
}
