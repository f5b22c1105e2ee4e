//! Faults by name: what goes wrong, at which step, and at which of its requests.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use emp_core::error::FailureKind;

/// A step of the protocol, as the fake tells requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// `#[prepare]`
    Prepare,
    /// `#[submit]`
    Submit,
    /// `#[poll]`
    Poll,
    /// `#[cancel]`
    Cancel,
    /// `#[health]`
    Health,
    /// The search of a `lookup(..)` settle rule.
    Lookup,
    /// `#[cleanup]`
    Cleanup,
    /// The token endpoint of `#[auth(oauth2(..))]`.
    Token,
    /// The route of `#[stream(chunks(..))]`.
    Chunks,
    /// `#[outcome(get = ..)]`
    Result,
    /// A file of a result.
    File,
    /// The opening of `#[websocket]`; `cut_body` breaks the connection behind the first event.
    Socket,
    /// A further question of `also(..)`.
    Probe,
    /// `#[batch_poll]`
    Batch,
    /// `#[side_progress]`
    Side,
}

impl Step {
    /// Every step with its word.
    pub const ALL: [(&'static str, Self); 15] = [
        ("prepare", Self::Prepare),
        ("submit", Self::Submit),
        ("poll", Self::Poll),
        ("cancel", Self::Cancel),
        ("health", Self::Health),
        ("lookup", Self::Lookup),
        ("cleanup", Self::Cleanup),
        ("token", Self::Token),
        ("chunks", Self::Chunks),
        ("result", Self::Result),
        ("file", Self::File),
        ("socket", Self::Socket),
        ("probe", Self::Probe),
        ("batch", Self::Batch),
        ("side", Self::Side),
    ];

    /// The word that names the step.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(word, step)| (step == self).then_some(word)).unwrap_or("submit")
    }
}

/// What goes wrong. `accepted` below means: the step has its effect, and what follows is the answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refused with a status code; no effect (F27, F28, F30, F31).
    Status(u16),
    /// Refused with a status code and `Retry-After`; no effect (F30, F31).
    RetryAfter(u16, Duration),
    /// Refused the way the connector classifies as this kind; no effect.
    Refused(FailureKind),
    /// The links to the job's files have expired; whoever asks after the job gets new ones (F41).
    Expired,
    /// A job that succeeds with fewer results than it should.
    TooFew,
    /// The job that this submit begins has some of its result early, and ends with no more.
    Partial,
    /// Refused with a text that quotes the request's credential (I97); no effect.
    QuotesCredential,
    /// Refused with a 2xx code, in the declared envelope; no effect.
    NotOk,
    /// Accepted, and answered with an error code nevertheless (F31).
    StatusAfter(u16),
    /// Refused with a code that is not worth another try, and the service's own word that it is; no effect.
    SaysAgain,
    /// Refused with a code that passes, and the service's own word that this one does not; no effect.
    SaysFinal,
    /// The connection closes with no answer and no effect (F33).
    Cut,
    /// Accepted, then the connection closes with no answer (F33).
    CutAfter,
    /// Never answered; no effect (F32).
    Timeout,
    /// Accepted, then never answered (F32).
    TimeoutAfter,
    /// Accepted, and the answer is JSON without an id (F26).
    NoId,
    /// Accepted, and the answer is a page of HTML (F26).
    Html,
    /// Accepted, and the answer breaks off in the middle of its body (F33).
    CutBody,
    /// Accepted, and the answer never ends to grow (F34).
    HugeBody,
    /// Accepted, and the answer comes a byte at a time (F32).
    SlowBody,
    /// Accepted, and the answer is a stream that ends, well-formed, before it has said that it is done.
    EndsEarly,
    /// The status word is one that nobody declared.
    UnknownStatus,
    /// The status is this declared word.
    Word(String),
    /// The answer is what the declared rule with this index waits for.
    Rule(usize),
    /// Accepted, and the answer is compressed, though nobody asked for it (F35).
    Encoded,
    /// The answer is about another job, which has ended (F40).
    AnotherJob,
    /// The job appears to be back where it began, with less progress (F39).
    Backwards,
    /// The service does not know the job (F37).
    Forgotten,
    /// The answer is a redirect to another URL.
    Redirect(String),
    /// Every URL in the answer points to another origin.
    ForeignUrl(String),
    /// A cancel is answered as declared, and the job goes on.
    Ignored,
    /// The job that this submit begins will fail, for this reason (F38).
    JobFails(FailureKind),
    /// The job that this submit begins will be cancelled by the service.
    JobCancelled,
    /// The job that this submit begins never ends.
    JobNeverEnds,
}

/// Which of a step's requests are hit, counted from the moment the fault is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Only the nth, from 1.
    Nth(u32),
    /// The first n.
    First(u32),
    /// All of them.
    Always,
}

impl When {
    pub(crate) fn hits(self, request: u32) -> bool {
        match self {
            Self::Nth(nth) => request == nth,
            Self::First(count) => request <= count,
            Self::Always => true,
        }
    }
}

/// A fault: a trouble at a step, for some of its requests.
///
/// As text `step:trouble[=argument][@nth|*count|*]`; without the last part it hits the first request only:
///
/// ```
/// use emp_testkit::{Fault, Step, Trouble, When};
///
/// let fault: Fault = "poll:500*3".parse()?;
/// assert_eq!(fault, Fault::at(Step::Poll, Trouble::Status(500)).when(When::First(3)));
/// assert_eq!("submit:cut_after".parse::<Fault>()?.to_string(), "submit:cut_after@1");
/// # Ok::<(), emp_testkit::FaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub step: Step,
    /// What.
    pub trouble: Trouble,
    /// Which requests.
    pub when: When,
}

impl Fault {
    /// A trouble at the first request of a step.
    pub fn at(step: Step, trouble: Trouble) -> Self {
        Self { step, trouble, when: When::Nth(1) }
    }

    /// Says which requests are hit.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; write step:trouble, such as submit:cut_after, poll:500*3 or submit:429=2s", self.0)
    }
}

impl std::error::Error for FaultError {}

/// The troubles that are a word and nothing else.
const PLAIN: &[(&str, Trouble)] = &[
    ("another_job", Trouble::AnotherJob),
    ("backwards", Trouble::Backwards),
    ("cut", Trouble::Cut),
    ("cut_after", Trouble::CutAfter),
    ("cut_body", Trouble::CutBody),
    ("encoded", Trouble::Encoded),
    ("ends_early", Trouble::EndsEarly),
    ("expired", Trouble::Expired),
    ("forgotten", Trouble::Forgotten),
    ("html", Trouble::Html),
    ("huge_body", Trouble::HugeBody),
    ("ignored", Trouble::Ignored),
    ("job_cancelled", Trouble::JobCancelled),
    ("job_never_ends", Trouble::JobNeverEnds),
    ("no_id", Trouble::NoId),
    ("not_ok", Trouble::NotOk),
    ("partial", Trouble::Partial),
    ("quotes_credential", Trouble::QuotesCredential),
    ("says_again", Trouble::SaysAgain),
    ("says_final", Trouble::SaysFinal),
    ("slow_body", Trouble::SlowBody),
    ("timeout", Trouble::Timeout),
    ("timeout_after", Trouble::TimeoutAfter),
    ("too_few", Trouble::TooFew),
    ("unknown_status", Trouble::UnknownStatus),
];

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (step, rest) = text
            .split_once(':')
            .ok_or_else(|| FaultError(format!("`{text}` has no `:` between its step and its trouble")))?;
        let step = Step::ALL
            .into_iter()
            .find_map(|(word, candidate)| (word == step).then_some(candidate))
            .ok_or_else(|| FaultError(format!("`{step}` is no step")))?;
        let (trouble, when) = split_when(rest)?;
        Ok(Self { step, trouble: trouble.parse()?, when })
    }
}

fn split_when(text: &str) -> Result<(&str, When), FaultError> {
    let number =
        |digits: &str| digits.parse().map_err(|_| FaultError(format!("`{digits}` is no number of requests")));
    match text.rsplit_once(['@', '*']) {
        Some((trouble, "")) if text.ends_with('*') => Ok((trouble, When::Always)),
        Some((trouble, digits)) if text[trouble.len()..].starts_with('*') => {
            Ok((trouble, When::First(number(digits)?)))
        }
        Some((trouble, digits)) => Ok((trouble, When::Nth(number(digits)?))),
        None => Ok((text, When::Nth(1))),
    }
}

impl FromStr for Trouble {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        if let Some((_, trouble)) = PLAIN.iter().find(|(word, _)| *word == text) {
            return Ok(trouble.clone());
        }
        let unknown = || FaultError(format!("`{text}` is no trouble"));
        let kind = |word: &str| {
            FailureKind::from_word(word).ok_or_else(|| FaultError(format!("`{word}` is no failure kind")))
        };
        let code = |digits: &str| digits.parse::<u16>().ok().filter(|code| (200..600).contains(code));
        match text.split_once('=') {
            None => match text.strip_suffix("_after") {
                Some(digits) => code(digits).map(Self::StatusAfter).ok_or_else(unknown),
                None => code(text).map(Self::Status).ok_or_else(unknown),
            },
            Some(("refused", word)) => Ok(Self::Refused(kind(word)?)),
            Some(("job_fails", word)) => Ok(Self::JobFails(kind(word)?)),
            Some(("word", word)) => Ok(Self::Word(word.to_owned())),
            Some(("rule", index)) => Ok(Self::Rule(index.parse().map_err(|_| unknown())?)),
            Some(("redirect", url)) => Ok(Self::Redirect(url.to_owned())),
            Some(("foreign_url", url)) => Ok(Self::ForeignUrl(url.to_owned())),
            Some((digits, wait)) => {
                let wait =
                    emp_syntax::duration::parse(wait).map_err(|error| FaultError(error.to_string()))?;
                code(digits).map(|code| Self::RetryAfter(code, wait)).ok_or_else(unknown)
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "{code}"),
            Self::RetryAfter(code, wait) => write!(f, "{code}={}ms", wait.as_millis()),
            Self::StatusAfter(code) => write!(f, "{code}_after"),
            Self::Refused(kind) => write!(f, "refused={}", kind.word()),
            Self::JobFails(kind) => write!(f, "job_fails={}", kind.word()),
            Self::Word(word) => write!(f, "word={word}"),
            Self::Rule(index) => write!(f, "rule={index}"),
            Self::Redirect(url) => write!(f, "redirect={url}"),
            Self::ForeignUrl(url) => write!(f, "foreign_url={url}"),
            plain => {
                let word = PLAIN.iter().find_map(|(word, trouble)| (trouble == plain).then_some(*word));
                f.write_str(word.unwrap_or("cut"))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.step.word(), self.trouble)?;
        match self.when {
            When::Nth(nth) => write!(f, "@{nth}"),
            When::First(count) => write!(f, "*{count}"),
            When::Always => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_back_as_it_is_printed() {
        let kinds = FailureKind::ALL.map(|(_, kind)| kind);
        let mut troubles: Vec<Trouble> = PLAIN.iter().map(|(_, trouble)| trouble.clone()).collect();
        troubles.extend(kinds.map(Trouble::Refused));
        troubles.extend(kinds.map(Trouble::JobFails));
        troubles.extend([
            Trouble::Status(503),
            Trouble::StatusAfter(500),
            Trouble::Word("done".to_owned()),
            Trouble::Rule(1),
            Trouble::RetryAfter(429, Duration::from_secs(2)),
            Trouble::Redirect("http://127.0.0.1:9/x".to_owned()),
            Trouble::ForeignUrl("http://127.0.0.1:9/x".to_owned()),
        ]);
        for trouble in troubles {
            for when in [When::Nth(2), When::First(3), When::Always] {
                let fault = Fault::at(Step::Submit, trouble.clone()).when(when);
                assert_eq!(fault.to_string().parse(), Ok(fault.clone()), "{fault}");
            }
        }
    }

    #[test]
    fn a_text_that_names_no_fault_says_what_to_write() {
        for text in
            ["", "submit", "sbumit:500", "submit:99", "submit:nonsense", "poll:500@x", "submit:job_fails=sad"]
        {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains("step:trouble"), "{text}: {error}");
        }
    }
}
