//! One page: visited, waited for, and taken a picture, a print or the text of.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::browser::EventDownloadWillBegin;
use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use chromiumoxide::cdp::browser_protocol::network::{EventResponseReceived, ResourceType};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, EventJavascriptDialogOpening, EventLifecycleEvent,
    HandleJavaScriptDialogParams, NavigateParams, PrintToPdfParams, Viewport as CdpClip,
};
use chromiumoxide::page::ScreenshotParams;
use emp_core::{ErrorCode, JobError};
use futures_util::future::ready;
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::{Chromium, fault};

/// Between two looks for an element.
const LOOK: Duration = Duration::from_millis(50);
/// Chromium goes to no URL above 2 MiB, and a document is one in base64.
const LONGEST_HTML: usize = (2 << 20) / 4 * 3 - 1024;

/// The window that a page believes to be in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// Pixels of the image for each CSS pixel.
    pub scale: f64,
}

/// When a page is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Its document is read.
    Dom,
    /// Everything that it names is loaded.
    Load,
    /// Nothing was fetched for half a second.
    Idle,
}

impl Until {
    fn event(self) -> &'static str {
        match self {
            Self::Dom => "DOMContentLoaded",
            Self::Load => "load",
            Self::Idle => "networkIdle",
        }
    }
}

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// Without loss.
    Png,
    /// With a quality, 1 to 100.
    Jpeg(u8),
    /// With a quality, 1 to 100.
    Webp(u8),
}

/// What a picture shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clip {
    /// What is in the window.
    Window,
    /// The page from its top to its end.
    Page,
    /// The first element that a CSS selector finds.
    Element(String),
}

/// How a picture is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// Its form.
    pub image: Image,
    /// What it shows.
    pub clip: Clip,
    /// Without the white behind the page; PNG only.
    pub transparent: bool,
}

/// A size of paper, in inches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paper {
    /// Its shorter side.
    pub width: f64,
    /// Its longer side.
    pub height: f64,
}

/// How a page is printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Print {
    /// On what.
    pub paper: Paper,
    /// The longer side lies.
    pub landscape: bool,
    /// With its backgrounds.
    pub background: bool,
    /// Larger or smaller than life.
    pub scale: f64,
}

/// A page of a [`Chromium`].
#[derive(Debug)]
pub struct Tab<'c> {
    chromium: &'c Chromium,
    page: Page,
    /// The last answer to a request for a document.
    status: Arc<Mutex<Option<i64>>>,
    _listeners: [AbortOnDropHandle<()>; 2],
}

impl<'c> Tab<'c> {
    /// An empty page.
    pub async fn open(chromium: &'c Chromium, viewport: Viewport) -> Result<Self, JobError> {
        let opened = chromium.browser.new_page("about:blank").await;
        let page = opened.map_err(|error| fault("open a page", &error))?;
        let metrics = SetDeviceMetricsOverrideParams::new(
            i64::from(viewport.width),
            i64::from(viewport.height),
            viewport.scale,
            false,
        );
        page.execute(metrics).await.map_err(|error| fault("take the viewport", &error))?;
        let status = Arc::default();
        let listeners = [dismiss_dialogs(&page).await?, note_status(&page, Arc::clone(&status)).await?];
        Ok(Self { chromium, page, status, _listeners: listeners })
    }

    /// Goes to a URL and waits for it.
    ///
    /// # Errors
    /// Chromium cannot get there: with its own word for it (`net::ERR_..`).
    pub async fn visit(&self, url: &Url, until: Until) -> Result<(), JobError> {
        let listener = self.page.event_listener::<EventLifecycleEvent>().await;
        let mut events = listener.map_err(|error| fault("tell of the page", &error))?;
        let mut downloads = self.downloads().await?;
        let gone = tokio::select! {
            gone = self.page.execute(NavigateParams::new(url.as_str())) => gone,
            // To a navigation that becomes one there is no answer.
            Some(()) = downloads.next() => {
                let message = "the URL is a download, not a page";
                return Err(JobError::new(ErrorCode::EInvalidInput, message));
            }
        };
        let gone = gone.map_err(|error| fault("go to the page", &error))?.result;
        if let Some(why) = gone.error_text {
            let message = format!("the page cannot be visited: {why}");
            return Err(JobError::new(ErrorCode::EConnect, message).retriable());
        }
        while let Some(event) = events.next().await {
            let ours = event.frame_id == gone.frame_id
                && gone.loader_id.as_ref().is_none_or(|loader| *loader == event.loader_id);
            if ours && event.name == until.event() {
                return Ok(());
            }
        }
        Err(JobError::new(ErrorCode::ETransient, "Chromium ended while the page was loading").retriable())
    }

    /// The downloads that come instead of the page; those of frames inside it are refused and change nothing.
    async fn downloads(&self) -> Result<impl Stream<Item = ()> + Unpin, JobError> {
        let page = self.page.mainframe().await.map_err(|error| fault("tell of its frame", &error))?;
        let listener = self.chromium.browser.event_listener::<EventDownloadWillBegin>().await;
        let events = listener.map_err(|error| fault("tell of downloads", &error))?;
        Ok(events.filter_map(move |event| {
            ready(page.as_ref().is_none_or(|page| *page == event.frame_id).then_some(()))
        }))
    }

    /// Shows a document that is given as text, which belongs to no origin.
    pub async fn show(&self, html: &str, until: Until) -> Result<(), JobError> {
        if html.len() > LONGEST_HTML {
            let message = format!("`html` has {} bytes and may have {LONGEST_HTML}", html.len());
            return Err(JobError::new(ErrorCode::EInvalidInput, message));
        }
        let url = format!("data:text/html;charset=utf-8;base64,{}", BASE64_STANDARD.encode(html));
        let url = url.parse().map_err(|_| JobError::new(ErrorCode::EInternal, "a data URL is none"))?;
        self.visit(&url, until).await
    }

    /// Waits for an element, for as long as the caller does.
    pub async fn wait_for(&self, selector: &str) -> Result<(), JobError> {
        let there = format!("document.querySelector({}) !== null", quoted(selector));
        while !self.ask::<bool>(&there).await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Takes a picture.
    pub async fn screenshot(&self, shot: &Shot) -> Result<Vec<u8>, JobError> {
        let (format, quality) = match shot.image {
            Image::Png => (CaptureScreenshotFormat::Png, None),
            Image::Jpeg(quality) => (CaptureScreenshotFormat::Jpeg, Some(i64::from(quality))),
            Image::Webp(quality) => (CaptureScreenshotFormat::Webp, Some(i64::from(quality))),
        };
        let clip = match &shot.clip {
            Clip::Element(selector) => Some(self.place_of(selector).await?),
            // Not `full_page` of the library, which forgets the scale.
            Clip::Page => Some(self.whole().await?),
            Clip::Window => None,
        };
        let capture = CaptureScreenshotParams {
            format: Some(format),
            quality,
            capture_beyond_viewport: clip.is_some().then_some(true),
            clip,
            ..CaptureScreenshotParams::default()
        };
        let params = ScreenshotParams {
            cdp_params: capture,
            full_page: None,
            omit_background: Some(shot.transparent),
        };
        self.page.screenshot(params).await.map_err(|error| fault("take a picture", &error))
    }

    /// Prints it.
    pub async fn pdf(&self, print: Print) -> Result<Vec<u8>, JobError> {
        let params = PrintToPdfParams {
            landscape: Some(print.landscape),
            print_background: Some(print.background),
            scale: Some(print.scale),
            paper_width: Some(print.paper.width),
            paper_height: Some(print.paper.height),
            ..PrintToPdfParams::default()
        };
        self.page.pdf(params).await.map_err(|error| fault("print the page", &error))
    }

    /// The document as it is now, after its scripts have run.
    pub async fn html(&self) -> Result<String, JobError> {
        self.page.content().await.map_err(|error| fault("give the page's text", &error))
    }

    /// Its title.
    pub async fn title(&self) -> Result<String, JobError> {
        self.ask("document.title").await
    }

    /// Where it is after all redirects.
    pub async fn url(&self) -> Result<String, JobError> {
        self.ask("location.href").await
    }

    /// What its server answered, when there is one.
    pub fn status(&self) -> Option<i64> {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page from its top to its end.
    async fn whole(&self) -> Result<CdpClip, JobError> {
        let size = "(() => { const e = document.documentElement; \
                    return { x: 0, y: 0, width: e.scrollWidth, height: e.scrollHeight }; })()";
        Ok(self.ask::<Place>(size).await?.into())
    }

    /// Where an element is on its page.
    async fn place_of(&self, selector: &str) -> Result<CdpClip, JobError> {
        let place = format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return null; const r = e.getBoundingClientRect(); \
             return {{ x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height }}; }})()",
            quoted(selector)
        );
        let refused = |why: &str| {
            JobError::new(ErrorCode::EInvalidInput, format!("the element {} {why}", quoted(selector)))
        };
        let place = self.ask::<Option<Place>>(&place).await?.ok_or_else(|| refused("is not on the page"))?;
        if place.width < 1.0 || place.height < 1.0 {
            return Err(refused("takes no room on the page"));
        }
        Ok(place.into())
    }

    /// Asks the page.
    async fn ask<T: serde::de::DeserializeOwned>(&self, expression: &str) -> Result<T, JobError> {
        let answer = self.page.evaluate_expression(expression).await;
        let answer = answer.map_err(|error| match error {
            chromiumoxide::error::CdpError::JavascriptException(thrown) => {
                let said = thrown.exception.and_then(|it| it.description).unwrap_or(thrown.text);
                JobError::new(ErrorCode::EInvalidInput, "the page refuses the selector").detail(said)
            }
            error => fault("ask the page", &error),
        })?;
        let value = answer.value().cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| {
            JobError::new(ErrorCode::EBadResponse, "the page answered what nobody asked")
                .detail(error.to_string())
        })
    }
}

#[derive(Deserialize)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl From<Place> for CdpClip {
    fn from(Place { x, y, width, height }: Place) -> Self {
        Self { x, y, width, height, scale: 1.0 }
    }
}

/// A text as a literal of JavaScript, which every text of JSON is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A page that waits for somebody to press a button would never be there.
async fn dismiss_dialogs(page: &Page) -> Result<AbortOnDropHandle<()>, JobError> {
    let listener = page.event_listener::<EventJavascriptDialogOpening>().await;
    let mut dialogs = listener.map_err(|error| fault("tell of dialogs", &error))?;
    let page = page.clone();
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while dialogs.next().await.is_some() {
            // One that is gone already needs no answer.
            let _ = page.execute(HandleJavaScriptDialogParams::new(false)).await;
        }
    })))
}

async fn note_status(
    page: &Page,
    status: Arc<Mutex<Option<i64>>>,
) -> Result<AbortOnDropHandle<()>, JobError> {
    let listener = page.event_listener::<EventResponseReceived>().await;
    let mut answers = listener.map_err(|error| fault("tell of answers", &error))?;
    let main = page.mainframe().await.map_err(|error| fault("tell its frame", &error))?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(answer) = answers.next().await {
            if answer.r#type == ResourceType::Document && answer.frame_id == main {
                *status.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.response.status);
            }
        }
    })))
}
