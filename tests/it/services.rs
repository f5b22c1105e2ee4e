//! `docs/services.md` says nothing that is not there.

use std::collections::BTreeSet;

use crate::bench::over_http;
use crate::tables::{Known, quoted, rows};

const TABLE: &str = include_str!("../../docs/services.md");

#[test]
fn every_test_that_the_table_of_services_names_exists() {
    let rows = rows(TABLE);
    for row in &rows {
        assert_eq!(row.len(), 4, "four cells: {row:?}");
    }
    Known::collect().holds(&rows);
}

#[test]
fn every_connector_over_http_stands_in_the_table_of_services() {
    let listed: BTreeSet<_> = rows(TABLE).iter().flat_map(|row| quoted(row[0])).collect();
    let stock: BTreeSet<_> = over_http().map(|entry| entry.spec.name).collect();
    assert_eq!(listed, stock);
}

#[test]
fn every_one_of_the_29_services_stands_in_the_table() {
    let numbers: BTreeSet<u32> =
        rows(TABLE).iter().filter_map(|row| row[0].split(' ').next()?.parse().ok()).collect();
    assert_eq!(numbers, (1..=29).collect());
}
