//! Query strings, read strictly: every parameter is known, stands once unless it may repeat, and has a valid value.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use emp_core::job::JobState;
use emp_store::ListQuery;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::code::Code;
use crate::problem::Refusal;
use crate::view::Status;

/// Jobs on a page, unless the client says otherwise.
const DEFAULT_LIMIT: usize = 50;
/// The largest page.
const MAX_LIMIT: usize = 200;

/// Which jobs a client wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The query for the store; `None` when the filters exclude each other, so that nothing can match.
    pub(crate) query: Option<ListQuery>,
    /// Binds a cursor to the filters that it was made with.
    seal: [u8; 8],
}

impl Filter {
    /// Reads the query string of `GET /api/jobs`.
    pub(crate) fn parse(query: &str) -> Result<Self, Refusal> {
        let mut limit = None;
        let mut cursor = None;
        let mut states: Vec<JobState> = Vec::new();
        let mut statuses: Vec<JobState> = Vec::new();
        let mut wanted = ListQuery { limit: DEFAULT_LIMIT, ..ListQuery::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => once(&mut limit, "limit", value)?,
                "cursor" => once(&mut cursor, "cursor", value)?,
                "service" => once(&mut wanted.service, "service", value)?,
                "state" => states.push(state(&value)?),
                "status" => statuses.extend(status(&value)?.states()),
                "label" => {
                    let (key, value) = value
                        .split_once('=')
                        .filter(|(key, _)| !key.is_empty())
                        .ok_or_else(|| bad("label", &value, "name=value"))?;
                    if wanted.labels.insert(key.to_owned(), value.to_owned()).is_some() {
                        return Err(bad("label", key, "each label once"));
                    }
                }
                other => return Err(unknown(other, "cursor, label, limit, service, state, status")),
            }
        }
        if let Some(text) = limit {
            let valid = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            wanted.limit = valid.ok_or_else(|| bad("limit", &text, "a whole number from 1 to 200"))?;
        }
        let excluded = match (states.is_empty(), statuses.is_empty()) {
            (_, true) => false,
            (true, false) => {
                states = statuses;
                false
            }
            (false, false) => {
                states.retain(|state| statuses.contains(state));
                states.is_empty()
            }
        };
        states.sort_unstable();
        states.dedup();
        wanted.states = states;
        let seal = seal(&wanted);
        if let Some(text) = cursor {
            let before = open_cursor(&text, seal)
                .ok_or_else(|| bad("cursor", &text, "`next` of the page before, with the same filters"))?;
            wanted.before = Some(before);
        }
        Ok(Self { query: (!excluded).then_some(wanted), seal })
    }

    /// The cursor of the page that begins before an arrival.
    pub(crate) fn cursor(&self, before: u64) -> String {
        let mut bytes = self.seal.to_vec();
        bytes.extend(before.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Refuses any parameter, for calls that take none.
pub(crate) fn none(query: Option<&str>) -> Result<(), Refusal> {
    match form_urlencoded::parse(query.unwrap_or_default().as_bytes()).next() {
        Some((name, _)) => Err(unknown(&name, "none")),
        None => Ok(()),
    }
}

/// What decides which jobs follow each other: everything but the place and the size of the page.
fn seal(wanted: &ListQuery) -> [u8; 8] {
    let filters = format!("{:?} {:?} {:?}", wanted.states, wanted.service, wanted.labels);
    let digest: [u8; 32] = Sha256::digest(filters.as_bytes()).into();
    std::array::from_fn(|index| digest[index])
}

fn open_cursor(text: &str, seal: [u8; 8]) -> Option<u64> {
    let bytes: [u8; 16] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let place = bytes.strip_prefix(&seal)?;
    Some(u64::from_be_bytes(place.try_into().ok()?))
}

fn once(slot: &mut Option<String>, name: &str, value: Cow<'_, str>) -> Result<(), Refusal> {
    match slot.replace(value.into_owned()) {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            Code::BadQuery,
            format!("the query parameter `{name}` stands twice; send it once"),
        )),
    }
}

fn state(word: &str) -> Result<JobState, Refusal> {
    JobState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
        bad("state", word, &format!("one of {}", JobState::ALL.map(JobState::as_str).join(", ")))
    })
}

fn status(word: &str) -> Result<Status, Refusal> {
    Status::ALL
        .into_iter()
        .find(|status| status.as_str() == word)
        .ok_or_else(|| bad("status", word, &format!("one of {}", Status::ALL.map(Status::as_str).join(", "))))
}

fn bad(name: &str, value: &str, expected: &str) -> Refusal {
    let shown: String = value.chars().take(64).collect();
    Refusal::new(Code::BadQuery, format!("the query parameter `{name}` is `{shown}`; expected {expected}"))
}

fn unknown(name: &str, known: &str) -> Refusal {
    let shown: String = name.chars().take(64).collect();
    Refusal::new(Code::BadQuery, format!("there is no query parameter `{shown}` here; known: {known}"))
}

#[cfg(test)]
mod tests {
    use emp_core::job::JobState;

    use super::Filter;

    #[test]
    fn i71_bad_values_are_refused_and_named() {
        let cases = [
            ("limit=999999999", "`limit`"),
            ("limit=-1", "`limit`"),
            ("limit=0", "`limit`"),
            ("limit=1e9", "`limit`"),
            ("limit=201", "`limit`"),
            ("limit=1&limit=1", "`limit`"),
            ("cursor=garbage", "`cursor`"),
            ("cursor=", "`cursor`"),
            ("since=9999-99-99", "`since`"),
            ("tenant=other", "`tenant`"),
            ("state=nope", "`state`"),
            ("status=succeeded", "`status`"),
            ("label=x", "`label`"),
            ("label=a=1&label=a=2", "`label`"),
        ];
        for (query, named) in cases {
            let refusal = Filter::parse(query).unwrap_err();
            assert_eq!(refusal.problem().status, 400, "{query}");
            assert!(refusal.problem().detail.contains(named), "{query}: {}", refusal.problem().detail);
        }
    }

    #[test]
    fn filters_become_a_query() {
        let query = |text| Filter::parse(text).unwrap().query;
        assert_eq!(query("").unwrap().limit, 50);
        assert_eq!(query("status=pending").unwrap().states, [JobState::Queued, JobState::Waiting]);
        assert_eq!(query("status=pending&state=waiting").unwrap().states, [JobState::Waiting]);
        assert_eq!(
            query("status=pending&state=failed"),
            None,
            "nothing can match, and no filter at all would match everything"
        );
        let wanted = query("service=my-service&label=gpu%3Da100&limit=200").unwrap();
        assert_eq!((wanted.service.as_deref(), wanted.limit), (Some("my-service"), 200));
        assert_eq!(wanted.labels.get("gpu").map(String::as_str), Some("a100"));
    }

    #[test]
    fn i71_a_cursor_is_good_only_with_the_filters_it_was_made_with() {
        let cursor = Filter::parse("service=a&limit=2").unwrap().cursor(77);
        let next = Filter::parse(&format!("limit=5&service=a&cursor={cursor}")).unwrap();
        assert_eq!(next.query.unwrap().before, Some(77));
        assert!(Filter::parse(&format!("service=b&cursor={cursor}")).is_err());
    }
}
