//! `docs/language.md` has every feature that the language must have, and says nothing that is not there.

use crate::tables::{Known, rows};

const TABLE: &str = include_str!("../../docs/language.md");

#[test]
fn every_feature_of_the_language_names_a_test_that_exists() {
    let rows = rows(TABLE);
    for row in &rows {
        assert_eq!(row.len(), 3, "three cells: {row:?}");
    }
    Known::collect().holds(&rows);
}

#[test]
fn no_feature_is_missing_from_the_table_of_the_language() {
    let listed: Vec<_> = rows(TABLE).iter().map(|row| row[0].split(':').next().unwrap_or_default()).collect();
    let must = (1..=63).map(|number| format!("M{number}"));
    let all: Vec<String> = must.chain((1..=16).map(|number| format!("X{number}"))).collect();
    assert_eq!(listed, all);
}
