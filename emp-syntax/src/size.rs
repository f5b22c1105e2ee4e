//! Sizes in bytes: `512`, `10MB`, `8MiB`.

use crate::SyntaxError;

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Parses a size; `kB`, `MB`, `GB` are powers of 1000 and `KiB`, `MiB`, `GiB` powers of 1024.
pub fn parse(text: &str) -> Result<u64, SyntaxError> {
    let start = text.len() - text.trim_start().len();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = |message: String| {
        SyntaxError::new(start + digits, message).help("write a whole number and a unit, such as \"8MiB\"")
    };
    let (_, factor) = UNITS
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))
        .ok_or_else(|| wrong(format!("`{}` is not a unit of size", unit.trim())))?;
    let number: u64 = number.parse().map_err(|_| wrong("a size begins with a whole number".to_owned()))?;
    number.checked_mul(factor).ok_or_else(|| wrong("the size is too large".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_powers_of_1000_or_1024() {
        assert_eq!(parse("512"), Ok(512));
        assert_eq!(parse("10MB"), Ok(10_000_000));
        assert_eq!(parse("8 MiB"), Ok(8 << 20));
        assert_eq!(parse("1 kib"), Ok(1024));
    }

    #[test]
    fn a_size_that_is_wrong_is_refused() {
        for text in ["", "MB", "1.5MB", "-1", "10 parrots", "99999999999GiB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
