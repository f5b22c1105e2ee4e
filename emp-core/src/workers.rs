//! The text of `WORKERS`: `my-service-api:2,openai:4`, and the faults of what is made of it.

mod fault;

pub use fault::{ENVIRONMENT, MAPPING, PlanError, PlanFault, WORKERS};

/// More slots than this are a typing mistake: one process is measured to 10,000 jobs.
pub const MAX_SLOTS: usize = 100_000;

/// One entry of `WORKERS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerEntry {
    /// The worker's name in the mapping.
    pub name: String,
    /// How many jobs at once; a bare name means 1.
    pub slots: usize,
    /// Where the entry begins in the text, in characters from 1.
    pub column: usize,
}

/// Reads `WORKERS`; every fault at once, in the order of the text.
pub fn parse(text: &str) -> Result<Vec<WorkerEntry>, Vec<PlanFault>> {
    if text.trim().is_empty() {
        return Err(vec![PlanFault::new(
            WORKERS,
            "WORKERS is empty, so there is nothing to run",
            "WORKERS=\"my-service-api:2,openai:4\"",
        )]);
    }
    let mut entries: Vec<WorkerEntry> = Vec::new();
    let mut faults = Vec::new();
    let mut start = 1;
    for piece in text.split(',') {
        let column = start + piece.chars().take_while(|c| c.is_whitespace()).count();
        start += piece.chars().count() + 1;
        match entry(piece.trim(), column) {
            Ok(entry) => match entries.iter().find(|earlier| earlier.name == entry.name) {
                Some(first) => faults.push(twice(first, &entry)),
                None => entries.push(entry),
            },
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

fn entry(piece: &str, column: usize) -> Result<WorkerEntry, PlanFault> {
    let (name, count) = match piece.split_once(':') {
        None => (piece, None),
        Some((name, count)) => (name.trim_end(), Some(count.trim())),
    };
    if name.is_empty() {
        return Err(PlanFault::new(
            WORKERS,
            format!("WORKERS column {column}: a worker's name is missing"),
            "name a worker of the mapping, or take out the stray comma",
        ));
    }
    let slots = match count {
        None => 1,
        Some(count) => slots(name, count).map_err(|problem| {
            PlanFault::new(
                WORKERS,
                format!("WORKERS column {column}: the count of `{name}` {problem}"),
                format!("a whole number from 1 to {MAX_SLOTS}: `{name}:2`"),
            )
        })?,
    };
    Ok(WorkerEntry { name: name.to_owned(), slots, column })
}

fn twice(first: &WorkerEntry, again: &WorkerEntry) -> PlanFault {
    let (name, sum) = (&again.name, first.slots + again.slots);
    PlanFault::new(
        WORKERS,
        format!("WORKERS column {}: `{name}` stands there already, at column {}", again.column, first.column),
        format!("write it once: `{name}:{sum}`"),
    )
}

fn slots(name: &str, count: &str) -> Result<usize, String> {
    if count.is_empty() {
        return Err("is missing after the colon".to_owned());
    }
    match count.parse::<usize>() {
        Ok(0) => Err(format!("is 0: to run no `{name}`, leave it out")),
        Ok(slots) if slots <= MAX_SLOTS => Ok(slots),
        _ if count.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("is {count}, more than one process can do"))
        }
        _ => Err(format!("is `{count}`, which is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        parse(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_with_counts_and_bare_names() {
        let entries = parse("my-service-api:2, openai : 4,comfyui").unwrap();
        let read: Vec<_> =
            entries.iter().map(|entry| (entry.name.as_str(), entry.slots, entry.column)).collect();
        assert_eq!(read, [("my-service-api", 2, 1), ("openai", 4, 19), ("comfyui", 1, 30)]);
    }

    #[test]
    fn every_fault_is_reported_with_its_column() {
        let messages = messages("a:0,,b:two,c:,d:99999999999999999999999,a:1,a:2");
        assert_eq!(messages.len(), 6, "{messages:#?}");
        assert!(messages[0].contains("column 1") && messages[0].contains("is 0"), "{}", messages[0]);
        assert!(
            messages[1].contains("column 5") && messages[1].contains("name is missing"),
            "{}",
            messages[1]
        );
        assert!(messages[2].contains("column 6") && messages[2].contains("`two`"), "{}", messages[2]);
        assert!(messages[3].contains("missing after the colon"), "{}", messages[3]);
        assert!(messages[4].contains("more than one process"), "{}", messages[4]);
        assert!(messages[5].contains("column 45") && messages[5].contains("already"), "{}", messages[5]);
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert!(messages("größe:1,x:0")[0].contains("column 9"));
    }

    #[test]
    fn an_empty_text_says_what_to_write() {
        assert!(messages("  ")[0].contains("my-service-api:2"));
    }
}
