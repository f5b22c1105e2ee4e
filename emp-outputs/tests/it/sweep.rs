//! Files go when their time is up, and nothing else does.

use std::path::Path;
use std::time::{Duration, SystemTime};

use emp_core::job::JobId;
use emp_core::{Clock as _, SystemClock, Timestamp};
use emp_outputs::{OpenError, OutputStore, Swept};

use crate::{get, key, put};

const DAY: Duration = Duration::from_hours(24);

fn days_ago(days: u32) -> Timestamp {
    Timestamp(SystemClock.now().0 - i64::from(days) * 86_400_000)
}

fn made_old(file: &Path) {
    std::fs::File::open(file).unwrap().set_modified(SystemTime::now() - 3 * DAY).unwrap();
}

#[tokio::test]
async fn p28_a_file_goes_when_its_time_is_up_and_takes_its_empty_directories_along() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    let store = OutputStore::at(&dir.display().to_string()).unwrap();
    let (old, young) = (JobId::random(), JobId::random());
    let gone = put(&store, &key(&old, "cat"), &[b"0123456789"]).await;
    let kept = put(&store, &key(&young, "cat"), &[b"x"]).await;
    let half = dir.join(format!("{old}/1/1-dog.png#7"));
    std::fs::write(&half, "half").unwrap();
    made_old(&dir.join(format!("{old}/1/0-cat.png")));
    made_old(&half);
    assert_eq!(store.sweep(days_ago(4)).await.unwrap(), Swept::default());
    assert_eq!(store.sweep(days_ago(2)).await.unwrap(), Swept { files: 2, bytes: 14 });
    assert_eq!(get(&store, &old, &gone).await, Err(OpenError::Missing));
    assert_eq!(get(&store, &young, &kept).await.unwrap(), b"x");
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [young.as_str()]);
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    let store = OutputStore::at(&dir.display().to_string()).unwrap();
    let (job, secret) = (JobId::random(), parent.path().join("secret/1/0-cat.png"));
    let others = [
        "notes.txt",
        "photos/1/0-cat.png",
        &format!("{job}/notes.txt"),
        &format!("{job}/1/.hidden"),
        &format!("{job}/1/a b"),
    ];
    for file in others.iter().map(|name| dir.join(name)).chain([secret.clone()]) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "x").unwrap();
        made_old(&file);
    }
    std::fs::create_dir_all(dir.join("empty/1")).unwrap();
    let linked = JobId::random();
    std::os::unix::fs::symlink(parent.path().join("secret"), dir.join(linked.as_str())).unwrap();
    assert_eq!(store.sweep(days_ago(0)).await.unwrap(), Swept::default());
    assert!(
        others.iter().all(|name| dir.join(name).exists()) && secret.exists() && dir.join("empty/1").exists()
    );
}
