//! `emp store`: a look at the store itself.

use emp_store::StoreOptions;
use emp_store::redis::doctor;
use emp_store::redis::preflight::Severity;

use crate::args::Store;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) async fn run(args: &Store, out: &Output) -> Result<Exit, Failure> {
    let Store::Doctor { store } = args;
    let store = store.url(&Environment::only("EMP_STORE")?);
    if store.starts_with("redis") {
        return examine(&store, out).await;
    }
    // A file or the memory has no server to be asked: whether it can be opened is all there is to know.
    emp_store::open(&store, StoreOptions::default()).await?;
    out.note(format!("{}: it can be opened", emp_store::shown(&store)));
    Ok(Exit::Ok)
}

async fn examine(store: &str, out: &Output) -> Result<Exit, Failure> {
    let report = doctor::examine(store).await?;
    let safe = report.findings.iter().all(|finding| finding.severity != Severity::Unsafe);
    if out.is_json() {
        out.json(&report);
    } else {
        let word = |severity| match severity {
            Severity::Unsafe => "unsafe",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let rows = report
            .findings
            .into_iter()
            .map(|finding| vec![word(finding.severity).to_owned(), finding.what, finding.fix])
            .collect();
        out.table(&["", "found", "to mend it"], rows);
        out.line("\nA user with the rights that the store needs, and no others:");
        out.line(&report.acl);
    }
    Ok(if safe { Exit::Ok } else { Exit::No })
}
