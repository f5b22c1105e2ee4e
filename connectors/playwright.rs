//! Playwright: a picture, a print or the text of a web page, made by a real Chromium of this machine.
//!
//! Source: the DevTools protocol, spoken by `chromiumoxide` in `emp-chromium`; the options are those that Playwright's own `page.screenshot`
//! and `page.pdf` have. A custom connector that brings a crate of its own and keeps files. A page costs nothing and is visited again after a
//! crash, so there is no submit to settle.
//!
//! What may be visited: public addresses over http and https, for the page and for all that it fetches, redirects to or embeds; private
//! ones are named by the operator in `PLAYWRIGHT_ALLOW_PRIVATE`. Chromium runs in its own sandbox, which the system refuses to root: as
//! root it runs without, so give the worker a user of its own where pages are not trusted.

use std::path::PathBuf;
use std::time::Duration;

use emp_chromium::{Chromium, Clip, Image, Launch, Paper, Print, Shot, Tab, Until, Viewport};
use emp_core::custom::{NewFile, SavedFile};
use emp_core::job::Progress;
use emp_core::{Connector, CustomConnector, ErrorCode, JobContext, JobError, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Takes a picture, a print or the text of a web page in a real Chromium.
#[derive(Connector)]
#[connector(custom, service = "playwright", version = "1.0.0", payload = PlaywrightPayload, output = PlaywrightResult)]
pub struct PlaywrightConnector {
    /// The program; when left out, the first Chromium or Chrome in `PATH`.
    #[env("CHROMIUM_PATH", optional)]
    program: Option<String>,
    /// Whether Chromium's sandbox is used; when left out, for everybody but root, who cannot have it.
    #[env("CHROMIUM_SANDBOX", optional)]
    sandbox: Option<bool>,
    /// For how long a job may take that does not say, and the longest that one may ask for.
    #[env("PLAYWRIGHT_TIMEOUT", default = "30s", unit = s)]
    timeout: Duration,
    /// Private places that pages may be on, as `host:port` with commas between them.
    #[env("PLAYWRIGHT_ALLOW_PRIVATE", optional)]
    allow_private: Option<Vec<String>>,
}

/// A page, and what is wanted of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "html": "<h1>Hello</h1>", "action": "screenshot" }))]
pub struct PlaywrightPayload {
    /// The page, over http or https. Either this or `html`.
    #[schemars(length(max = 8192), example = &"https://example.com/")]
    pub url: Option<String>,
    /// The page itself, in place of a URL.
    #[schemars(length(max = 1_000_000), example = &"<h1>Hello</h1>")]
    pub html: Option<String>,
    /// What is wanted.
    #[serde(default)]
    pub action: Action,
    /// The window that the page believes to be in.
    #[serde(default)]
    pub viewport: Window,
    /// When the page counts as loaded.
    #[serde(default)]
    pub wait_until: WaitUntil,
    /// A CSS selector of an element that is waited for then.
    #[schemars(length(min = 1, max = 1000), example = &"#chart.ready")]
    pub wait_for: Option<String>,
    /// Milliseconds to wait then.
    #[schemars(range(max = 60_000), example = 500)]
    pub delay_ms: Option<u64>,
    /// For how long all of it may take, milliseconds; no longer than the worker allows.
    #[schemars(range(min = 100, max = 600_000), example = 30_000)]
    pub timeout_ms: Option<u64>,
    /// `screenshot`: the whole page, not only what is in the window.
    #[serde(default)]
    pub full_page: bool,
    /// `screenshot`: only the first element that this CSS selector finds.
    #[schemars(length(min = 1, max = 1000), example = &"main article")]
    pub selector: Option<String>,
    /// `screenshot`: the form of the image.
    #[serde(default)]
    pub format: Format,
    /// `screenshot`: the quality of a JPEG or WebP.
    #[serde(default = "quality")]
    #[schemars(range(min = 1, max = 100))]
    pub quality: u8,
    /// `screenshot`: without the white behind the page; PNG only.
    #[serde(default)]
    pub omit_background: bool,
    /// `pdf`: how it is printed.
    #[serde(default)]
    pub pdf: Pdf,
}

/// What is wanted of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A picture.
    #[default]
    Screenshot,
    /// A print.
    Pdf,
    /// The document as it is after its scripts have run.
    Content,
}

/// The window that a page believes to be in, CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Its width.
    #[schemars(range(min = 1, max = 7680))]
    pub width: u32,
    /// Its height.
    #[schemars(range(min = 1, max = 4320))]
    pub height: u32,
    /// Pixels of the image for each of them.
    #[schemars(range(min = 0.1, max = 4.0))]
    pub scale: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self { width: 1280, height: 720, scale: 1.0 }
    }
}

/// When a page counts as loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitUntil {
    /// Everything that it names is there.
    #[default]
    Load,
    /// Its document is read.
    DomContentLoaded,
    /// Nothing was fetched for half a second.
    NetworkIdle,
}

/// The form of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Without loss.
    #[default]
    Png,
    /// Small, for photographs.
    Jpeg,
    /// Smaller.
    Webp,
}

/// How a page is printed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pdf {
    /// The paper.
    pub paper: PaperSize,
    /// Whether the longer side lies.
    pub landscape: bool,
    /// Whether its backgrounds are printed.
    pub print_background: bool,
    /// Larger or smaller than life.
    #[schemars(range(min = 0.1, max = 2.0))]
    pub scale: f64,
}

impl Default for Pdf {
    fn default() -> Self {
        Self { paper: PaperSize::A4, landscape: false, print_background: true, scale: 1.0 }
    }
}

/// Sizes of paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PaperSize {
    /// 297 x 420 mm.
    A3,
    /// 210 x 297 mm.
    A4,
    /// 148 x 210 mm.
    A5,
    /// 8.5 x 11 inches.
    Letter,
    /// 8.5 x 14 inches.
    Legal,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlaywrightResult {
    /// The picture, the print or the document.
    pub files: Vec<SavedFile>,
    /// Where the page is after all redirects; none for a page that was given as text.
    pub url: Option<String>,
    /// What its server answered.
    pub status: Option<i64>,
    /// Its title.
    pub title: String,
    /// Private places that the page asked for and did not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

impl CustomConnector for PlaywrightConnector {
    async fn run(&self, job: JobContext<'_>) -> Result<Value, JobError> {
        let payload: PlaywrightPayload = job.payload_as()?;
        let page = payload.page()?;
        let asked = payload.timeout_ms.map_or(self.timeout, Duration::from_millis);
        let limit = asked.min(self.timeout);
        let result = tokio::time::timeout(limit, self.visit(&job, &page, &payload)).await.map_err(|_| {
            let message = format!("the page was not done within {limit:?} (`timeout_ms`, PLAYWRIGHT_TIMEOUT)");
            JobError::new(ErrorCode::EDeadline, message)
        })??;
        serde_json::to_value(result).map_err(|error| JobError::new(ErrorCode::EInternal, error.to_string()))
    }

    async fn ready(&self) -> Result<(), JobError> {
        self.program().map(drop)
    }
}

impl PlaywrightConnector {
    async fn visit(
        &self,
        job: &JobContext<'_>,
        page: &PageSource<'_>,
        payload: &PlaywrightPayload,
    ) -> Result<PlaywrightResult, JobError> {
        let at = |fraction, message: &str| {
            let message = Some(message.to_owned());
            job.progress(Progress { fraction: Some(fraction), message, ..Progress::default() });
        };
        let program = self.program()?;
        let proxy = job.proxy(self.allow_private.as_deref().unwrap_or_default()).await?;
        at(0.1, "starting Chromium");
        let sandbox = self.sandbox.unwrap_or_else(Launch::sandbox_works);
        let chromium = Chromium::launch(Launch { program: &program, proxy: proxy.url(), sandbox }).await?;
        let Window { width, height, scale } = payload.viewport;
        let tab = Tab::open(&chromium, Viewport { width, height, scale }).await?;
        at(0.3, "loading the page");
        let until = payload.wait_until.into();
        let visited = match page {
            PageSource::Url(url) => tab.visit(url, until).await,
            PageSource::Html(html) => tab.show(html, until).await,
        };
        visited.map_err(|error| match proxy.refused().first() {
            Some(place) if error.code == ErrorCode::EConnect => refused(place),
            _ => error,
        })?;
        if let Some(selector) = &payload.wait_for {
            tab.wait_for(selector).await?;
        }
        tokio::time::sleep(Duration::from_millis(payload.delay_ms.unwrap_or_default())).await;
        at(0.7, "taking what was asked for");
        let (name, mime, bytes) = payload.take(&tab).await?;
        let (url, title) = (tab.url().await?, tab.title().await?);
        let file = job.save_file(NewFile { name, mime, bytes }).await?;
        Ok(PlaywrightResult {
            files: vec![file],
            url: matches!(page, PageSource::Url(_)).then_some(url),
            status: tab.status().filter(|_| matches!(page, PageSource::Url(_))),
            title,
            refused: proxy.refused(),
        })
    }

    fn program(&self) -> Result<PathBuf, JobError> {
        let named = self.program.as_ref().map(PathBuf::from);
        emp_chromium::find(named.as_deref(), std::env::var_os("PATH").as_deref()).map_err(|missing| {
            let message =
                format!("{missing}; install it (`apt-get install chromium`) or name it with CHROMIUM_PATH");
            JobError::new(ErrorCode::EEnvironment, message)
        })
    }
}

fn refused(place: &str) -> JobError {
    let message = format!(
        "{place} may not be visited: its address is not public. If it is right, start the worker with \
         `PLAYWRIGHT_ALLOW_PRIVATE={place}`"
    );
    JobError::new(ErrorCode::EOriginRefused, message)
}

/// Where a page comes from.
enum PageSource<'p> {
    Url(Url),
    Html(&'p str),
}

impl PlaywrightPayload {
    fn page(&self) -> Result<PageSource<'_>, JobError> {
        let wrong = |message: &str| JobError::new(ErrorCode::EInvalidInput, message);
        match (&self.url, &self.html) {
            (Some(url), None) => {
                let url: Url = url.parse().map_err(|_| wrong("`url` is not an absolute URL"))?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(wrong("`url` must be http or https"));
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(wrong("`url` must not have a user or a password in it"));
                }
                Ok(PageSource::Url(url))
            }
            (None, Some(html)) => Ok(PageSource::Html(html)),
            _ => Err(wrong("give either `url` or `html`")),
        }
    }

    /// The file that is wanted: its name, its type and its bytes.
    async fn take(&self, tab: &Tab<'_>) -> Result<(&'static str, &'static str, Vec<u8>), JobError> {
        Ok(match self.action {
            Action::Screenshot => {
                let (mime, image) = match self.format {
                    Format::Png => ("image/png", Image::Png),
                    Format::Jpeg => ("image/jpeg", Image::Jpeg(self.quality)),
                    Format::Webp => ("image/webp", Image::Webp(self.quality)),
                };
                let clip = match &self.selector {
                    Some(selector) => Clip::Element(selector.clone()),
                    None if self.full_page => Clip::Page,
                    None => Clip::Window,
                };
                let shot = Shot { image, clip, transparent: self.omit_background };
                ("screenshot", mime, tab.screenshot(&shot).await?)
            }
            Action::Pdf => {
                let Pdf { paper, landscape, print_background, scale } = self.pdf;
                let print = Print { paper: paper.into(), landscape, background: print_background, scale };
                ("page", "application/pdf", tab.pdf(print).await?)
            }
            Action::Content => ("page", "text/html", tab.html().await?.into_bytes()),
        })
    }
}

impl From<WaitUntil> for Until {
    fn from(until: WaitUntil) -> Self {
        match until {
            WaitUntil::Load => Self::Load,
            WaitUntil::DomContentLoaded => Self::Dom,
            WaitUntil::NetworkIdle => Self::Idle,
        }
    }
}

impl From<PaperSize> for Paper {
    fn from(size: PaperSize) -> Self {
        let (width, height) = match size {
            PaperSize::A3 => (11.69, 16.54),
            PaperSize::A4 => (8.27, 11.69),
            PaperSize::A5 => (5.83, 8.27),
            PaperSize::Letter => (8.5, 11.0),
            PaperSize::Legal => (8.5, 14.0),
        };
        Self { width, height }
    }
}

fn quality() -> u8 {
    80
}
