//! The smallest polled connector, with every kind of field.

use std::time::Duration;

use emp_core::Connector;
use emp_core::secret::Secret;

#[derive(Debug, PartialEq)]
enum Quality {
    Fast,
    Best,
}

impl std::str::FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fast" => Ok(Self::Fast),
            "best" => Ok(Self::Best),
            _ => Err("neither fast nor best".to_owned()),
        }
    }
}

/// Does my service.
#[derive(Connector)]
#[connector(service = "my-service", version = "1.0.0", unregistered)]
#[http(base = env.base_url, allow_hosts = ["api.my-service.com", "*.eu.my-service.com"])]
#[auth(bearer = api_key)]
#[submit(post = "/jobs", json { "prompt": payload.prompt }, capture(id = "$.id"), timeout = env.timeout, at_most_once)]
#[poll(get = "/jobs/{job.id}", progress = "$.progress" | percent)]
#[states(at = "$.status", running = "working", succeeded = ["done"], failed = ["error"], unknown = failed)]
struct MyService {
    /// The key of the account.
    #[env("MY_SERVICE_KEY")]
    api_key: Secret,
    #[env("MY_SERVICE_URL", default = "https://api.my-service.com")]
    base_url: emp_core::Url,
    #[env("MY_SERVICE_TIMEOUT", default = 500, unit = ms, range = "100ms"..="10s")]
    timeout: Duration,
    #[env("MY_SERVICE_FAST", default = true)]
    fast: bool,
    #[env("MY_SERVICE_OFFSET", default = -3, range = -10..=10)]
    offset: i8,
    #[env("MY_SERVICE_SCALE", default = 0.5)]
    scale: f64,
    #[env("MY_SERVICE_TAGS", default = "a,b")]
    tags: Vec<String>,
    #[env("MY_SERVICE_NOTE", optional)]
    note: Option<String>,
    #[env("MY_SERVICE_QUALITY", default = "fast")]
    quality: Quality,
    #[env("MY_SERVICE_FALLBACK")]
    fallback: Option<Quality>,
    #[env("MY_SERVICE_TYPE", default = "x")]
    r#type: String,
}

fn main() {
    let mut source = std::collections::BTreeMap::from([("MY_SERVICE_KEY".to_owned(), "k".to_owned())]);
    let made = MyService::from_env(&source).unwrap();
    assert_eq!(made.base_url.as_str(), "https://api.my-service.com/");
    assert_eq!((made.timeout, made.fast, made.offset, made.scale), (Duration::from_millis(500), true, -3, 0.5));
    assert_eq!((made.tags, made.note), (vec!["a".to_owned(), "b".to_owned()], None));
    assert_eq!((made.quality, made.fallback, made.r#type.as_str()), (Quality::Fast, None, "x"));
    assert_eq!(made.api_key.expose(), "k");

    source.insert("MY_SERVICE_QUALITY".to_owned(), "slow".to_owned());
    source.insert("MY_SERVICE_FALLBACK".to_owned(), "none".to_owned());
    source.insert("MY_SERVICE_OFFSET".to_owned(), "11".to_owned());
    source.remove("MY_SERVICE_KEY");
    let errors = MyService::from_env(&source).err().unwrap();
    let mut wrong: Vec<_> = errors.iter().map(|error| error.variable.as_str()).collect();
    wrong.sort_unstable();
    let expected = ["MY_SERVICE_FALLBACK", "MY_SERVICE_KEY", "MY_SERVICE_OFFSET", "MY_SERVICE_QUALITY"];
    assert_eq!(wrong, expected, "every fault at once");

    let schema = MyService::SPEC.payload.to_json_schema();
    assert_eq!(schema["required"], serde_json::json!(["prompt"]));
}
