//! How far a job is: what an answer says of it, clamped to what makes sense (I38).

use emp_core::job::Progress;
use emp_core::spec::{Poll, SideProgress};
use emp_syntax::selector::Selector;
use serde_json::Value;

use crate::reduce;
use crate::select::View;

/// Longest progress message, characters.
const MAX_MESSAGE: usize = 500;
/// Most time left that is believed, seconds.
const MAX_ETA: f64 = 30.0 * 86400.0;
/// Longest preview, characters; a larger picture is left out, since every listener gets each.
pub const MAX_PREVIEW: usize = 64 << 10;

/// Where an answer says how far a job is.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    fraction: &'static [Selector],
    text: &'static [Selector],
    position: &'static [Selector],
    eta: &'static [Selector],
    logs: &'static [Selector],
    preview: &'static [Selector],
}

impl Places {
    /// Those of a poll.
    pub fn of(poll: &Poll) -> Self {
        Self {
            fraction: poll.progress,
            text: poll.progress_text,
            position: poll.queue_position,
            eta: poll.eta,
            logs: poll.logs,
            preview: poll.preview,
        }
    }

    /// Those of a question beside an open submit.
    pub fn beside(side: &SideProgress) -> Self {
        Self {
            fraction: side.progress,
            text: side.progress_text,
            position: &[],
            eta: side.eta,
            logs: &[],
            preview: side.preview,
        }
    }

    /// Whether something is so of any of the selectors.
    pub fn any(&self, so: impl FnMut(&Selector) -> bool) -> bool {
        [self.fraction, self.text, self.position, self.eta, self.logs, self.preview]
            .into_iter()
            .flatten()
            .any(so)
    }

    /// How far the job is; `None` when the answer does not say.
    pub fn read(&self, view: &View<'_>) -> Option<Progress> {
        let position = view.first_number(self.position).filter(|position| *position >= 0.0);
        let progress = Progress {
            fraction: view.first_number(self.fraction).map(|fraction| fraction.clamp(0.0, 1.0)),
            message: view
                .first_text(self.text)
                .or_else(|| view.first_text(self.logs).map(|logs| last_line(&logs)))
                .map(|text| one_line(&text)),
            queue_position: position.map(|position| position.min(1e9) as u64),
            eta_secs: view.first_number(self.eta).map(|eta| eta.clamp(0.0, MAX_ETA)),
            preview: self.preview.iter().find_map(|selector| preview(&view.get(selector)?)),
            so_far: None,
        };
        (progress != Progress::default()).then_some(progress)
    }
}

/// A preview that a page may show: an https URL, a data URL of an image, or bare base64 of one, which becomes a data URL.
fn preview(value: &Value) -> Option<String> {
    let text = reduce::text(value)?;
    let text = text.trim();
    if text.len() > MAX_PREVIEW || text.chars().any(char::is_control) {
        return None;
    }
    if text.starts_with("https://") || text.starts_with("data:image/") {
        return Some(text.to_owned());
    }
    let kind = match text.get(..5)? {
        "iVBOR" => "png",
        "/9j/4" => "jpeg",
        "UklGR" => "webp",
        "R0lGO" => "gif",
        _ => return None,
    };
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.bytes().all(base64).then(|| format!("data:image/{kind};base64,{text}"))
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect()
}
