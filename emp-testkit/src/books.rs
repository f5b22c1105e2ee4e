//! The service's books: its jobs, and the ledger of the submits that it accepted.

use std::time::Duration;

use emp_core::Timestamp;
use emp_core::spec::{KeyPlace, Prepare, Settle, Submit};
use emp_core::syntax::hole::{Root, Step};
use emp_core::syntax::rule::StateVerdict;
use emp_core::syntax::selector::{Selector, Source};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::job::{Durations, Ending, VirtualJob, Yield};
use crate::ledger::{self, Accepted, Ledger, Prepared};
use crate::route::{self, Holes, Seen};

/// Jobs and ledger.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) jobs: Vec<VirtualJob>,
    pub(crate) ledger: Ledger,
}

/// A submit as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) submit: &'a Submit,
    /// The operation whose submit it is.
    pub(crate) operation: Option<usize>,
    pub(crate) seen: &'a Seen,
    pub(crate) holes: &'a Holes,
    /// From the submit to the end of a job that goes well.
    pub(crate) expected: Duration,
    /// The captured values that tell how long that is.
    pub(crate) eta: &'a [Selector],
}

impl Asked<'_> {
    /// What `capture(..)` finds: the id, URLs of the fake itself, how long the job will take, and made-up texts.
    fn captured(&self, id: &str, origin: &str) -> Map<String, Value> {
        let values = self.submit.capture.iter().map(|capture| {
            let value = match capture.name {
                "id" => id.into(),
                name if self.tells_how_long(name) => self.expected.as_secs_f64().into(),
                name if name.ends_with("url") => {
                    format!("{origin}{}", route::captured_url_path(name, id)).into()
                }
                name => format!("{name}-of-{id}").into(),
            };
            (capture.name.to_owned(), value)
        });
        values.collect()
    }

    fn tells_how_long(&self, captured: &str) -> bool {
        self.eta.iter().any(|selector| match &selector.source {
            Source::Reference(known) => {
                known.root == Root::Job && matches!(&*known.path, [Step::Name(name)] if *name == captured)
            }
            _ => false,
        })
    }
}

/// A submit came with a key that was used for another body.
#[derive(Debug)]
pub(crate) struct Conflict;

impl Books {
    /// Takes a submit in, or merges it with the one that came before with the same key. Gives the job.
    pub(crate) fn accept(
        &mut self,
        asked: Asked<'_>,
        origin: &str,
        ending: Ending,
        now: Timestamp,
    ) -> Result<VirtualJob, Conflict> {
        let Asked { submit, operation, seen, holes, .. } = asked;
        let digest = digest(&seen.body);
        let key = match submit.settle {
            Settle::Idempotent { key: KeyPlace::Header(name), .. } => seen.headers.get(name).cloned(),
            Settle::Idempotent { key: KeyPlace::Field(name), .. } => seen.field(name),
            _ => None,
        };
        let assigned_id = holes.text(Root::Job, "assigned_id");
        // A key merges; an assigned id does so only where the declaration says that a resend is safe.
        let resend = matches!(submit.settle, Settle::AssignId { resend: true, .. });
        let merging = key.as_ref().or(assigned_id.as_ref().filter(|_| resend));
        let earlier = self.ledger.entries.iter_mut().find(|entry| {
            merging.is_some_and(|merging| [&entry.key, &entry.assigned_id].contains(&&Some(merging.clone())))
        });
        if let Some(earlier) = earlier {
            if earlier.digest != digest {
                self.ledger.conflicts += 1;
                return Err(Conflict);
            }
            earlier.merged += 1;
            return self.jobs.iter().find(|job| job.id == earlier.id).cloned().ok_or(Conflict);
        }
        let own_id = format!("fake-{}", self.ledger.entries.len() + 1);
        let id = match &submit.settle {
            Settle::AssignId { .. } => assigned_id.clone().unwrap_or(own_id),
            _ => own_id,
        };
        let queue_job_id = holes.text(Root::Queue, "job_id");
        let job = VirtualJob {
            captured: asked.captured(&id, origin),
            id: id.clone(),
            origin: origin.to_owned(),
            operation,
            assigned_id: assigned_id.clone(),
            queue_job_id: queue_job_id.clone(),
            webhook: holes.text(Root::Webhook, "url"),
            holes: holes.clone(),
            request: seen.shown(),
            accepted_at: now,
            cancelled: false,
            ending,
            links: 0,
            expired: false,
            yields: Yield::Whole,
        };
        self.jobs.push(job.clone());
        self.ledger.entries.push(Accepted {
            id,
            key,
            assigned_id,
            queue_job_id,
            mark: ledger::mark(&seen.body),
            digest,
            at: now,
            merged: 0,
        });
        Ok(job)
    }

    /// Takes a prepare step's request in. Gives what its answer tells: another value for each request.
    pub(crate) fn prepare(
        &mut self,
        step: &Prepare,
        seen: &Seen,
        origin: &str,
        now: Timestamp,
    ) -> Map<String, Value> {
        let number = self.ledger.prepared.len() + 1;
        let values = step.capture.iter().map(|capture| {
            let name = capture.name;
            let value = if name.ends_with("url") {
                format!("{origin}/__fake/prepared/{name}/{number}")
            } else {
                format!("{name}-{number}")
            };
            (name.to_owned(), value.into())
        });
        let captured: Map<String, Value> = values.collect();
        self.ledger.prepared.push(Prepared {
            captured: captured.clone(),
            digest: digest(&seen.body),
            at: now,
        });
        captured
    }

    /// Whether what a submit says to come from prepare steps was told by one.
    pub(crate) fn told(&self, holes: &Holes) -> bool {
        let known = |name: &str, value: &Value| {
            self.ledger.prepared.iter().any(|step| step.captured.get(name) == Some(value))
        };
        holes.of_root(Root::Prepared).all(|(name, value)| match value {
            Value::Array(values) => values.iter().all(|value| value.is_null() || known(name, value)),
            value => known(name, value),
        })
    }

    /// Ends whatever runs.
    pub(crate) fn interrupt(&mut self, now: Timestamp, durations: Durations) {
        let running =
            self.jobs.iter_mut().filter(|job| job.at(now, durations).verdict == StateVerdict::Running);
        running.for_each(|job| job.cancelled = true);
    }

    /// The job that a request names: by its id, by the id that the client assigned, or by anything else that was captured.
    pub(crate) fn named(&mut self, holes: &Holes) -> Option<&mut VirtualJob> {
        let names: Vec<_> = holes.of_root(Root::Job).collect();
        self.jobs.iter_mut().find(|job| {
            names.iter().any(|(name, value)| match *name {
                "id" | "assigned_id" => {
                    value.as_str().is_some_and(|id| job.id == id || job.assigned_id.as_deref() == Some(id))
                }
                other => job.captured.get(other) == Some(value),
            })
        })
    }
}

/// SHA-256 in hex.
pub(crate) fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.extend(
            [byte >> 4, byte & 15].into_iter().filter_map(|nibble| char::from_digit(u32::from(nibble), 16)),
        );
        hex
    })
}
