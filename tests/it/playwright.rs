//! The stock connector that drives a browser, in real Chromium, against pages on loopback.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use emp::REGISTRY;
use emp_core::job::JobState;
use emp_core::time::ManualClock;
use emp_core::{ErrorCode, Timestamp};
use emp_testkit::{Ended, Rig};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// A red box of 100 by 50 on blue, and much below the window.
const PAGE: &str = "<!DOCTYPE html><title>Blue &amp; red</title>\
    <style>html{background:#0000ff}body{margin:0;height:2000px}#box{width:100px;height:50px;background:#ff0000}</style>\
    <div id=box></div><script>document.body.append('made by a script')</script>";

/// Pages on loopback: `/`, `/silent` never answers, `/away` redirects to a private address, `/embeds` names a picture at one, `/asks`
/// waits for a button to be pressed.
struct Pages {
    place: String,
    asked: watch::Receiver<Vec<String>>,
}

impl Pages {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let place = listener.local_addr().expect("an address").to_string();
        let (log, asked) = watch::channel(Vec::new());
        let log = Arc::new(log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                tokio::spawn(async move { serve(stream, &log).await });
            }
        });
        Self { place, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.place)
    }

    async fn wait_for(&mut self, path: &str) {
        let seen = self.asked.wait_for(|paths| paths.iter().any(|asked| asked == path)).await;
        seen.expect("the server runs");
    }
}

async fn serve(mut stream: TcpStream, log: &watch::Sender<Vec<String>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    log.send_modify(|paths| paths.push(path.clone()));
    let (status, more, body) = match path.as_str() {
        "/" => ("200 OK", "", PAGE),
        "/away" => ("302 Found", "Location: http://10.1.2.3/\r\n", ""),
        "/embeds" => ("200 OK", "", "<img src='http://10.1.2.3:8080/x.png'><p>text"),
        "/asks" => ("200 OK", "", "<script>alert('press me')</script><p>text"),
        "/file" => ("200 OK", "Content-Disposition: attachment\r\n", "bytes"),
        "/silent" => std::future::pending().await,
        _ => ("404 Not Found", "", "nothing here"),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.ok()
}

/// Browsers at once: each of them wants more than one core.
static BROWSERS: Semaphore = Semaphore::const_new(2);

/// A job of the connector. Its Chromium is called through a script that notes how it was called.
struct Visit {
    _turn: SemaphorePermit<'static>,
    rig: Rig,
    dir: tempfile::TempDir,
}

impl Visit {
    async fn new(allow: &str, payload: Value) -> Self {
        let turn = BROWSERS.acquire().await.expect("never closed");
        let real = emp_chromium::find(None, std::env::var_os("PATH").as_deref())
            .expect("Chromium: `cargo xtask test` installs it");
        let dir = tempfile::tempdir().expect("a directory");
        let script = dir.path().join("chromium");
        let noted = dir.path().join("called");
        let text =
            format!("#!/bin/sh\necho \"$TMPDIR $@\" > {}\nexec {} \"$@\"\n", noted.display(), real.display());
        std::fs::write(&script, text).expect("a script");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let rig = rig(&script, allow, payload).await;
        Self { _turn: turn, rig, dir }
    }

    async fn end(self) -> (Ended, Vec<u8>) {
        let ended = self.rig.finish().await.expect("the store works");
        self.leaves_nothing().await;
        let Some(url) = ended.job.result.as_ref().and_then(|result| result.pointer("/files/0/url")) else {
            return (ended, Vec::new());
        };
        let url = url.as_str().expect("a text");
        let file = self.rig.outputs().open(self.rig.job_id(), url, None).await.expect("the file");
        let bytes: Vec<u8> = file.body.try_collect::<Vec<_>>().await.expect("its bytes").concat();
        (ended, bytes)
    }

    /// Neither a process nor a profile is left, and nothing beside the profile.
    async fn leaves_nothing(&self) {
        let called = std::fs::read_to_string(self.dir.path().join("called")).expect("it was called");
        let profile = called
            .split(' ')
            .find_map(|word| word.trim().strip_prefix("--user-data-dir="))
            .expect("a profile of its own");
        assert_eq!(called.split(' ').next(), Some(profile), "temporary files are in the profile");
        let begun = Instant::now();
        while Path::new(profile).exists() || running_with(profile) {
            assert!(begun.elapsed() < Duration::from_secs(20), "Chromium is still there: {profile}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn rig(program: &Path, allow: &str, payload: Value) -> Rig {
    let env: BTreeMap<String, String> = [
        ("CHROMIUM_PATH", program.display().to_string()),
        ("PLAYWRIGHT_ALLOW_PRIVATE", allow.to_owned()),
        ("PLAYWRIGHT_TIMEOUT", "120s".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let entry = REGISTRY.get("PlaywrightConnector").expect("registered");
    let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
    Rig::new(entry.load(&env).expect("loads"), payload, clock).await.expect("a job")
}

fn running_with(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("a Linux");
    let lines = processes.flatten().filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).any(|line| line.contains(word))
}

struct Picture {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
    channels: usize,
}

impl Picture {
    fn read(png: &[u8]) -> Self {
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{:?}", png.get(..8));
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("it has a size")];
        let info = reader.next_frame(&mut bytes).expect("an image");
        let channels = info.color_type.samples();
        Self { width: info.width, height: info.height, bytes, channels }
    }

    fn at(&self, x: u32, y: u32) -> &[u8] {
        let place = (y * self.width + x) as usize * self.channels;
        &self.bytes[place..place + 3]
    }
}

const RED: &[u8] = &[255, 0, 0];
const BLUE: &[u8] = &[0, 0, 255];

#[tokio::test]
async fn a_picture_of_a_page_is_kept_as_a_file() {
    let pages = Pages::start().await;
    let payload = json!({ "url": pages.url("/"), "viewport": { "width": 400, "height": 300 } });
    let (ended, png) = Visit::new(&pages.place, payload).await.end().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    let picture = Picture::read(&png);
    assert_eq!((picture.width, picture.height), (400, 300));
    assert_eq!((picture.at(10, 10), picture.at(99, 49), picture.at(200, 200)), (RED, RED, BLUE));
    let result = ended.job.result.expect("a result");
    assert_eq!(result["title"], "Blue & red");
    assert_eq!((&result["url"], &result["status"]), (&json!(pages.url("/")), &json!(200)));
    let file = &result["files"][0];
    assert_eq!((&file["name"], &file["mime"]), (&json!("0-screenshot.png"), &json!("image/png")));
    assert_eq!(file["bytes"], png.len());
    assert_eq!(file["sha256"].as_str().map(str::len), Some(64));
    assert!(ended.progress.len() >= 3, "{:?}", ended.progress);
}

#[tokio::test]
async fn a_picture_may_be_of_the_whole_page_or_of_one_element() {
    let pages = Pages::start().await;
    let page = json!({ "url": pages.url("/"), "viewport": { "width": 300, "height": 200, "scale": 2.0 }, "full_page": true });
    let (_, png) = Visit::new(&pages.place, page).await.end().await;
    let picture = Picture::read(&png);
    assert_eq!((picture.width, picture.height), (600, 4000));
    let element = json!({ "url": pages.url("/"), "selector": "#box", "wait_until": "networkidle" });
    let (_, png) = Visit::new(&pages.place, element).await.end().await;
    let picture = Picture::read(&png);
    assert_eq!((picture.width, picture.height), (100, 50));
    assert_eq!((picture.at(0, 0), picture.at(99, 49)), (RED, RED));
}

#[tokio::test]
async fn a_page_is_printed() {
    let pages = Pages::start().await;
    let (ended, pdf) =
        Visit::new(&pages.place, json!({ "url": pages.url("/"), "action": "pdf" })).await.end().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "{:?}", ended.job.error);
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 1000);
    assert_eq!(ended.job.result.expect("a result")["files"][0]["mime"], "application/pdf");
}

#[tokio::test]
async fn the_text_of_a_page_is_what_its_scripts_have_made() {
    let pages = Pages::start().await;
    let payload = json!({ "url": pages.url("/asks"), "action": "content", "wait_for": "p" });
    let (ended, _) = Visit::new(&pages.place, payload).await.end().await;
    assert_eq!(ended.job.state, JobState::Succeeded, "nobody presses a button: {:?}", ended.job.error);
    let payload = json!({ "url": pages.url("/"), "action": "content" });
    let (_, html) = Visit::new(&pages.place, payload).await.end().await;
    assert!(String::from_utf8(html).expect("UTF-8").contains("made by a script"));
    let payload = json!({ "url": pages.url("/nowhere"), "action": "content" });
    let (ended, _) = Visit::new(&pages.place, payload).await.end().await;
    assert_eq!(ended.job.result.expect("what the server shows")["status"], 404);
}

#[tokio::test]
async fn i12_i15_no_page_leads_to_a_private_address() {
    let mut pages = Pages::start().await;
    let metadata = "http://169.254.169.254/latest/meta-data/".to_owned();
    let elsewhere = format!("localhost:{}", pages.place.rsplit(':').next().expect("a port"));
    for (allow, url, place) in [
        (pages.place.as_str(), pages.url("/away"), "10.1.2.3:80"),
        ("", pages.url("/"), pages.place.as_str()),
        ("", "http://2130706433/".to_owned(), "127.0.0.1:80"),
        ("169.254.169.254:80", metadata, "169.254.169.254:80"),
        (pages.place.as_str(), format!("http://{elsewhere}/"), elsewhere.as_str()),
        ("", "https://[::1]/".to_owned(), "[::1]:443"),
    ] {
        let (ended, _) = Visit::new(allow, json!({ "url": url })).await.end().await;
        let error = ended.job.error.expect("an error");
        assert_eq!((ended.job.state, error.code), (JobState::Failed, ErrorCode::EOriginRefused), "{url}");
        assert!(error.message.contains(place), "{url}: {error}");
    }
    assert_eq!(*pages.asked.borrow_and_update(), ["/away"], "nothing else was reached");
    let visit = Visit::new(&pages.place, json!({ "url": pages.url("/embeds") })).await;
    let (ended, _) = visit.end().await;
    let result = ended.job.result.expect("the page is there without its picture");
    assert_eq!(result["refused"], json!(["10.1.2.3:8080"]));
}

#[tokio::test]
async fn i11_what_is_no_page_is_refused_before_chromium_starts() {
    for payload in [
        json!({ "url": "file:///etc/passwd" }),
        json!({ "url": "data:text/html,x" }),
        json!({ "url": "chrome://settings" }),
        json!({ "url": "https://user:password@example.com/" }),
        json!({ "url": "example.com" }),
        json!({ "url": "https://example.com/", "html": "<p>" }),
        json!({}),
    ] {
        let ended =
            rig(Path::new("/bin/false"), "", payload.clone()).await.finish().await.expect("the store works");
        assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EInvalidInput), "{payload}");
    }
}

#[tokio::test]
async fn a_selector_that_finds_nothing_is_said() {
    for (payload, code) in [
        (json!({ "html": "<p>x", "selector": "#none" }), ErrorCode::EInvalidInput),
        (json!({ "html": "<p>x", "selector": "p[" }), ErrorCode::EInvalidInput),
        (json!({ "html": "<p>x", "wait_for": "#never", "timeout_ms": 4000 }), ErrorCode::EDeadline),
    ] {
        let (ended, _) = Visit::new("", payload.clone()).await.end().await;
        assert_eq!(ended.job.error.map(|error| error.code), Some(code), "{payload}");
    }
}

#[tokio::test]
async fn p15_a_cancel_while_a_page_loads_ends_chromium() {
    let mut pages = Pages::start().await;
    let visit = Visit::new(&pages.place.clone(), json!({ "url": pages.url("/silent") })).await;
    let cancel = async {
        pages.wait_for("/silent").await;
        visit.rig.cancel().await.expect("the store works");
    };
    let (ended, ()) = tokio::join!(Box::pin(visit.rig.finish()), cancel);
    assert_eq!(ended.expect("the store works").job.state, JobState::Cancelled);
    visit.leaves_nothing().await;
}

#[tokio::test]
async fn what_is_no_page_is_refused_with_a_word_about_it() {
    let pages = Pages::start().await;
    let long = "x".repeat(1_000_000).replace('x', "ж");
    for (payload, word) in [
        (json!({ "url": pages.url("/file") }), "a download"),
        (json!({ "html": long }), "`html` has 2000000 bytes"),
    ] {
        let (ended, _) = Visit::new(&pages.place, payload).await.end().await;
        let error = ended.job.error.expect("an error");
        assert!(error.code == ErrorCode::EInvalidInput && error.message.contains(word), "{error}");
    }
}

#[tokio::test]
async fn p24_a_page_that_never_answers_ends_at_its_deadline() {
    let pages = Pages::start().await;
    let payload = json!({ "url": pages.url("/silent"), "timeout_ms": 5000 });
    let (ended, _) = Visit::new(&pages.place, payload).await.end().await;
    assert_eq!(ended.job.state, JobState::Failed);
    assert_eq!(ended.job.error.map(|error| error.code), Some(ErrorCode::EDeadline));
}

#[tokio::test]
async fn f06_without_chromium_it_is_down_and_says_what_to_do() {
    let missing = PathBuf::from("/no/such/chromium");
    let ended = rig(&missing, "", json!({ "html": "<p>x" })).await.finish().await.expect("the store works");
    let error = ended.job.error.expect("an error");
    assert_eq!((ended.job.state, error.code), (JobState::Failed, ErrorCode::EEnvironment));
    assert!(
        ["/no/such/chromium", "apt-get install chromium", "CHROMIUM_PATH"]
            .iter()
            .all(|word| error.message.contains(word)),
        "{error}"
    );
    let env = BTreeMap::from([("CHROMIUM_PATH".to_owned(), missing.display().to_string())]);
    let loaded = REGISTRY.get("PlaywrightConnector").expect("registered").load(&env).expect("loads");
    let health = emp_engine::Engine::new(emp_engine::EngineOptions::default()).health(&loaded).await;
    assert_eq!(health.status, emp_core::health::HealthStatus::Down);
    assert!(health.detail.is_some_and(|detail| detail.contains("CHROMIUM_PATH")));
}

/// It ends at once and says why; that is in the job's error.
#[tokio::test]
async fn f06_a_chromium_that_does_not_start_is_quoted() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = dir.path().join("chromium");
    std::fs::write(&script, "#!/bin/sh\necho 'no usable sandbox' >&2\nexit 1\n").expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let ended = rig(&script, "", json!({ "html": "<p>x" })).await.finish().await.expect("the store works");
    let error = ended.job.error.expect("an error");
    assert_eq!(error.code, ErrorCode::EEnvironment);
    assert!(error.detail.is_some_and(|detail| detail.contains("no usable sandbox")));
}
