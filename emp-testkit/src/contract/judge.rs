//! Judges what was seen of a script: what holds in every scenario, and what this one expects.

use emp_core::ErrorCode;
use emp_core::error::Billed;
use emp_core::job::{JobState, UpstreamCancel};
use emp_core::spec::{ConnectorSpec, Settle};
use emp_engine::outcome::PARTIAL;

use super::scenario::Judged;
use super::script::{Expect, Script};
use super::stage::Evidence;
use crate::fault::Step;
use crate::rig::{Calling, Calls};
use crate::sample::SECRET;

/// Whether what was seen is right, or what is wrong.
pub(crate) fn judge(under_test: &ConnectorSpec, script: &Script, evidence: &Evidence) -> Judged {
    if !evidence.died {
        let reason = "it never came to the moment at which its worker should die";
        // What a custom connector stores, and when, is its own.
        return if under_test.http().is_none() {
            Judged::not_applicable(reason)
        } else {
            Judged::fail(reason)
        };
    }
    always(script, evidence).and_then(|()| expected(under_test, script, evidence)).into()
}

/// What holds in every scenario.
fn always(script: &Script, evidence: &Evidence) -> Result<(), String> {
    let job = &evidence.ended.job;
    ensure(job.state.terminal() || job.state == JobState::Uncertain, || {
        format!("the job did not end: it is {:?}", job.state)
    })?;
    if let Some(stray) = evidence.requests.iter().find(|request| request.step.is_none()) {
        return Err(format!(
            "it asked for `{} {}`, which the service does not have",
            stray.method,
            path_of(&stray.target)
        ));
    }
    if let Some(bare) = evidence.requests.iter().find(|request| !request.authorized) {
        let target = path_of(&bare.target);
        return Err(format!("`{} {target}` came without the credential in its place", bare.method));
    }
    let accepted = evidence.ledger.accepted();
    let allowed = match script.attempts {
        _ if may_repeat(evidence) => usize::MAX,
        true => job.attempt.max(1) as usize,
        false => 1,
    };
    ensure(accepted <= allowed, || {
        format!(
            "paid {accepted} times: the service accepted {accepted} submits, and {allowed} would be right"
        )
    })?;
    ensure(evidence.ledger.conflicts == 0, || {
        "a resend had the key of the submit before and other bytes".to_owned()
    })?;
    match script.calling {
        None => {}
        Some(Calling::Forged | Calling::Stale) => {
            let Calls { taken, refused } = evidence.calls;
            ensure(taken == 0 && refused > 0, || {
                format!(
                    "of calls that are not the service's, or are old, {taken} were taken and {refused} refused"
                )
            })?;
        }
        Some(_) => {
            let Calls { taken, refused } = evidence.calls;
            ensure(taken > 0 && refused == 0, || {
                format!("of the service's own calls {taken} were taken and {refused} refused")
            })?;
        }
    }
    ensure(evidence.stray == 0, || "it followed a URL to an origin that is not declared".to_owned())?;
    let fractions: Vec<f64> =
        evidence.ended.progress.iter().filter_map(|progress| progress.fraction).collect();
    ensure(fractions.iter().all(|fraction| (0.0..=1.0).contains(fraction)), || {
        format!("a progress that is no fraction: {fractions:?}")
    })?;
    let told = serde_json::to_string(&(job, &evidence.ended.events, &evidence.ended.progress));
    let told = told.map_err(|error| error.to_string())?;
    ensure(!told.contains(SECRET), || "a secret is in the job or in one of its events".to_owned())
}

/// Whether the service, as it is, lets a lost submit be sent again without a rule.
fn may_repeat(evidence: &Evidence) -> bool {
    evidence.described.is_none_or(|submit| matches!(submit.settle, Settle::AtLeastOnce))
}

fn expected(spec: &ConnectorSpec, script: &Script, evidence: &Evidence) -> Result<(), String> {
    let job = &evidence.ended.job;
    let accepted = evidence.ledger.accepted();
    let submits = || evidence.requests.iter().filter(|request| request.step == Some(Step::Submit)).count();
    match &script.expect {
        Expect::Ends => Ok(()),
        Expect::Succeeds => succeeded(spec, evidence),
        Expect::SucceedsAfter(least) => {
            succeeded(spec, evidence)?;
            ensure(evidence.elapsed >= *least, || {
                format!(
                    "the service asked to be left alone for {least:?} and was asked after {:?}",
                    evidence.elapsed
                )
            })
        }
        Expect::Tells => {
            succeeded(spec, evidence)?;
            ensure(evidence.ended.deltas.len() > 1, || {
                format!("its text came in {} pieces", evidence.ended.deltas.len())
            })
        }
        Expect::Partly => {
            succeeded(spec, evidence)?;
            let ends = job.meta.get(PARTIAL) == Some(&true.into());
            let early = evidence.ended.progress.iter().any(|progress| progress.so_far.is_some());
            ensure(ends || early, || "nobody is told that the result is only a part".to_owned())
        }
        Expect::Takes(step) => {
            succeeded(spec, evidence)?;
            // Where a job is tidied up by the request that cancels one, the service cannot tell them apart.
            let alike = |other: Step| other == *step || (*step, other) == (Step::Cleanup, Step::Cancel);
            ensure(evidence.requests.iter().any(|request| request.step.is_some_and(alike)), || {
                format!("no request of the step `{}` came", step.word())
            })
        }
        // Sent again in so many words: then the result is that of another answer.
        Expect::NoSuccess => ensure(job.state != JobState::Succeeded || submits() > 1, || {
            format!("a success without a result that can be trusted: {:?}", job.result)
        }),
        Expect::Settles => match evidence.declared.map(|submit| &submit.settle) {
            Some(Settle::Idempotent { .. } | Settle::AssignId { resend: true, .. }) => {
                succeeded(spec, evidence)
            }
            Some(Settle::AssignId { .. } | Settle::Lookup(_)) if accepted > 0 => succeeded(spec, evidence),
            Some(Settle::AssignId { .. } | Settle::Lookup(_)) | None => {
                state(evidence, &[JobState::Succeeded, JobState::Uncertain])
            }
            Some(Settle::AtLeastOnce) => state(evidence, &[JobState::Succeeded]),
            Some(_) => {
                state(evidence, &[JobState::Uncertain])?;
                ensure(submits() <= 1, || format!("it was sent {} times", submits()))?;
                let billed = job.error.as_ref().map(|error| error.billed);
                ensure(billed == Some(Billed::Maybe), || {
                    "nobody is told that it may have been billed".to_owned()
                })
            }
        },
        Expect::Refused => match job.state {
            JobState::Failed => {
                let billed = job.error.as_ref().map(|error| error.billed);
                ensure(accepted == 0 && billed == Some(Billed::No), || {
                    format!("nothing was accepted, and the job says billed: {billed:?}")
                })
            }
            _ => state(evidence, &[JobState::Succeeded, JobState::Failed]),
        },
        Expect::Fails(codes) => {
            state(evidence, &[JobState::Failed])?;
            let code = job.error.as_ref().map(|error| error.code);
            ensure(codes.is_empty() || code.is_some_and(|code| codes.contains(&code)), || {
                format!("it failed with {}, not with {}", shown(code), words(codes))
            })
        }
        Expect::Retries => {
            state(evidence, &[JobState::Succeeded])?;
            ensure((job.attempt, accepted) == (2, 2), || {
                format!("{} attempts and {accepted} accepted submits, not 2 and 2", job.attempt)
            })
        }
        Expect::Cancelled(words) => cancelled(evidence, words),
    }
}

fn succeeded(spec: &ConnectorSpec, evidence: &Evidence) -> Result<(), String> {
    state(evidence, &[JobState::Succeeded])?;
    let job = &evidence.ended.job;
    let result = job.result.as_ref().is_some_and(|result| !result.is_null());
    ensure(result, || "it succeeded without a result".to_owned())?;
    ensure(job.attempt <= 1, || format!("it took {} attempts", job.attempt))?;
    let accepted = evidence.ledger.accepted();
    ensure(spec.http().is_none() || accepted == 1, || {
        format!("it succeeded, and the service accepted {accepted} submits")
    })
}

fn cancelled(evidence: &Evidence, words: &[UpstreamCancel]) -> Result<(), String> {
    state(evidence, &[JobState::Cancelled])?;
    let upstream = evidence.ended.job.cancel.as_ref().and_then(|cancel| cancel.upstream);
    if upstream == Some(UpstreamCancel::Confirmed) {
        ensure(evidence.unfinished == 0, || {
            "it says that the cancel is confirmed, and the service's job runs on".to_owned()
        })?;
    }
    ensure(upstream.is_some_and(|upstream| words.contains(&upstream)), || {
        format!("of the cancel at the service it says {upstream:?}, not one of {words:?}")
    })
}

fn state(evidence: &Evidence, states: &[JobState]) -> Result<(), String> {
    let job = &evidence.ended.job;
    ensure(states.contains(&job.state), || {
        let why = job.error.as_ref().map(|error| match &error.detail {
            Some(detail) => format!(" ({error}: {detail})"),
            None => format!(" ({error})"),
        });
        let right: Vec<String> = states.iter().map(|state| format!("{state:?}")).collect();
        format!("the job ended {:?}{}, not {}", job.state, why.unwrap_or_default(), right.join(" or "))
    })
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// A target without its query, where a credential may stand.
fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

fn shown(code: Option<ErrorCode>) -> String {
    code.map_or_else(|| "no error".to_owned(), |code| code.to_string())
}

fn words(codes: &[ErrorCode]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
