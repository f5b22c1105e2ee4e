//! Paths with holes: each value is one escaped segment, or for `{+x}` several, and never changes the path's shape.

use emp_core::{ErrorCode, JobError};
use emp_syntax::hole::{Reference, Root};
use emp_syntax::template::{Part, Template};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{bad, missing, scalar};
use crate::context::Context;

/// Everything but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What `{+x}` keeps within a segment, beside those.
const RESERVED: &AsciiSet = &ESCAPED
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Longest id of a service.
const MAX_ID: usize = 256;
/// Longest other value in a path or a query.
const MAX_VALUE: usize = 2048;

/// The path, with its query when the template has one.
pub(super) fn render(template: &Template, context: &Context<'_>) -> Result<String, JobError> {
    let mut path = String::new();
    for part in template.parts.iter() {
        match part {
            Part::Literal(literal) => path.push_str(literal),
            Part::Hole { hole, reserved } => {
                let Some(value) = context.hole(hole) else {
                    return Err(missing(&hole.reference.to_string()));
                };
                if value.is_f64() {
                    // Rounded on the way in: it is not what the service or the client wrote.
                    return Err(unfit(&hole.reference, "is not a text or a whole number"));
                }
                let text = scalar(&value, &hole.reference.to_string())
                    .map_err(|_| unfit(&hole.reference, "is not a text or a whole number"))?;
                if path.contains('?') {
                    check_text(&hole.reference, &text)?;
                    path.extend(utf8_percent_encode(&text, ESCAPED));
                } else {
                    push(&mut path, &hole.reference, &text, *reserved)?;
                }
            }
        }
    }
    Ok(path)
}

fn push(path: &mut String, reference: &Reference, text: &str, reserved: bool) -> Result<(), JobError> {
    check_text(reference, text)?;
    if !reserved {
        segment(reference, text)?;
        path.extend(utf8_percent_encode(text, ESCAPED));
        return Ok(());
    }
    for (index, part) in text.split('/').enumerate() {
        segment(reference, part)?;
        if index > 0 {
            path.push('/');
        }
        path.extend(utf8_percent_encode(part, RESERVED));
    }
    Ok(())
}

fn check_text(reference: &Reference, text: &str) -> Result<(), JobError> {
    let longest = if reference.root == Root::Job { MAX_ID } else { MAX_VALUE };
    if text.len() > longest {
        return Err(unfit(reference, &format!("is longer than {longest} bytes")));
    }
    if text.chars().any(invisible) {
        return Err(unfit(reference, "has control or invisible characters"));
    }
    Ok(())
}

/// A segment: not empty, not a dot segment, and no spelling of a separator, however often it is decoded.
fn segment(reference: &Reference, text: &str) -> Result<(), JobError> {
    if reference.root == Root::Job && !text.bytes().all(is_id_byte) {
        return Err(unfit(reference, "has characters that an id may not have"));
    }
    let mut decoded = text.to_owned();
    for _ in 0..3 {
        if decoded.is_empty() || decoded == "." || decoded == ".." {
            return Err(unfit(reference, "is empty or a dot segment"));
        }
        if decoded.contains(['/', '\\', '\0']) || decoded.chars().any(invisible) {
            return Err(unfit(reference, "has a path separator"));
        }
        decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
    }
    Ok(())
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b':' | b'@' | b'-')
}

/// Controls, and the format characters by which a text can look like another.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn unfit(reference: &Reference, problem: &str) -> JobError {
    match reference.root {
        Root::Job => JobError::new(ErrorCode::EBadServiceId, format!("{reference} {problem}")),
        _ => bad(&reference.to_string(), problem),
    }
}
