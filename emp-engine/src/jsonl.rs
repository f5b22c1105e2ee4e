//! JSON by lines (NDJSON, JSONL), as batches and exports give it, perhaps as a gzip file.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::strict_json;

/// The first bytes of a gzip file.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Most lines of one answer.
pub const MAX_LINES: usize = 100_000;

/// The values of the lines; empty lines are none. A gzip file is unpacked up to `cap` bytes (I28).
///
/// # Errors
/// What is wrong and in which line.
pub fn parse(bytes: &[u8], cap: u64) -> Result<Vec<Value>, String> {
    if !bytes.starts_with(GZIP) {
        return lines(bytes);
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(cap.saturating_add(1)).read_to_end(&mut unpacked);
    read.map_err(|_| "the gzip file is broken".to_owned())?;
    if unpacked.len() as u64 > cap {
        return Err(format!("the gzip file is larger than {cap} bytes (`#[limits(max_response = ..)]`)"));
    }
    lines(&unpacked)
}

fn lines(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if values.len() == MAX_LINES {
            return Err(format!("there are more than {MAX_LINES} lines"));
        }
        values.push(strict_json::parse(line).map_err(|problem| format!("line {}: {problem}", number + 1))?);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn m42_lines_are_values_plain_and_packed() {
        let text = b"{\"a\":1}\r\n\n[2]\n";
        let values = Ok(vec![serde_json::json!({ "a": 1 }), serde_json::json!([2])]);
        assert_eq!(parse(text, 100), values);
        assert_eq!(parse(&gzip(text), 100), values);
        assert_eq!(parse(b"", 100), Ok(Vec::new()));
        assert!(parse(b"{}\n{x}\n", 100).unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn i28_a_gzip_file_is_not_unpacked_beyond_its_cap() {
        let bomb = gzip(&vec![b' '; 10 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(parse(&bomb, 1 << 20).unwrap_err().contains("larger than"));
        assert!(parse(&[0x1f, 0x8b, 0xff], 100).is_err());
    }
}
