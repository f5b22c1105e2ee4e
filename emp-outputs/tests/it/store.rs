//! An output store gives back what was put in, whole or not at all.

use bytes::Bytes;
use emp_core::job::JobId;
use emp_engine::outputs::{MediaType, Outputs as _};
use emp_outputs::{OpenError, OutputStore};
use futures_util::TryStreamExt as _;

use crate::{get, key, put};

fn stores() -> (tempfile::TempDir, [OutputStore; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let local = OutputStore::at(&dir.path().join("out").display().to_string()).unwrap();
    (dir, [local, OutputStore::memory()])
}

#[tokio::test]
async fn a_file_is_what_was_written_and_a_repeat_overwrites_it() {
    let (_dir, stores) = stores();
    for store in &stores {
        let job = JobId::random();
        let url = put(store, &key(&job, "cat"), &[b"first", b" version"]).await;
        assert!(url.ends_with(&format!("/{job}/1/0-cat.png")), "{url}");
        assert_eq!(get(store, &job, &url).await.unwrap(), b"first version");
        assert_eq!(put(store, &key(&job, "cat"), &[b"second"]).await, url);
        assert_eq!(get(store, &job, &url).await.unwrap(), b"second");
    }
}

#[tokio::test]
async fn a_large_file_is_sent_in_parts_and_an_empty_one_is_a_file() {
    let (_dir, stores) = stores();
    let piece = vec![7; 1 << 20];
    for store in &stores {
        let job = JobId::random();
        let url = put(store, &key(&job, "large"), &[piece.as_slice(); 12]).await;
        assert_eq!(store.open(&job, &url, None).await.unwrap().size, 12 << 20);
        let empty = put(store, &key(&job, "empty"), &[]).await;
        assert_eq!(get(store, &job, &empty).await.unwrap(), b"");
    }
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_what_was_there() {
    let (dir, stores) = stores();
    for store in &stores {
        let job = JobId::random();
        let url = put(store, &key(&job, "cat"), &[b"whole"]).await;
        let mut writer = store.create(&key(&job, "cat"), &MediaType::unknown()).await.unwrap();
        writer.write(Bytes::from(vec![1; 6 << 20])).await.unwrap();
        drop(writer);
        assert_eq!(get(store, &job, &url).await.unwrap(), b"whole");
    }
    // A worker that was killed cannot tidy up; whoever writes the file again does.
    let job = JobId::random();
    let [local, _] = &stores;
    put(local, &key(&job, "cat"), &[b"x"]).await;
    let folder = dir.path().join(format!("out/{job}/1"));
    std::fs::write(folder.join("0-cat.png#1"), "half").unwrap();
    put(local, &key(&job, "cat"), &[b"y"]).await;
    let names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["0-cat.png"]);
}

#[tokio::test]
async fn i42_only_a_file_of_the_job_is_opened() {
    let (dir, [local, _]) = stores();
    std::fs::write(dir.path().join("secret"), "s").unwrap();
    let (job, other) = (JobId::random(), JobId::random());
    let url = put(&local, &key(&job, "cat"), &[b"0123456789"]).await;
    let root = url.strip_suffix(&format!("{job}/1/0-cat.png")).unwrap();
    assert_eq!(get(&local, &other, &url).await, Err(OpenError::Missing));
    for foreign in [
        format!("{root}{job}/../../secret"),
        format!("{root}{job}/1/../../../secret"),
        format!("{root}{job}/1/..%2f..%2fsecret"),
        format!("{root}{job}/1/.hidden"),
        format!("{root}{job}/1/0-cat.png/x"),
        format!("{root}{job}/1/missing.png"),
        format!("file://{}/secret", dir.path().display()),
        "s3://bucket/x".to_owned(),
        String::new(),
    ] {
        assert_eq!(get(&local, &job, &foreign).await, Err(OpenError::Missing), "{foreign}");
    }
}

#[tokio::test]
async fn a_range_of_a_file_can_be_read() {
    let (_dir, stores) = stores();
    for store in &stores {
        let job = JobId::random();
        let url = put(store, &key(&job, "cat"), &[b"0123456789"]).await;
        let file = store.open(&job, &url, Some(2..5)).await.unwrap();
        assert_eq!((file.size, file.range.clone()), (10, 2..5));
        let pieces: Vec<Bytes> = file.body.try_collect().await.unwrap();
        assert_eq!(pieces.concat(), b"234");
        assert_eq!(store.open(&job, &url, Some(8..100)).await.unwrap().range, 8..10);
        assert_eq!(store.open(&job, &url, Some(10..20)).await.unwrap_err(), OpenError::Range);
    }
}

#[tokio::test]
async fn an_unwritable_directory_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, [local, _]) = stores();
    let folder = dir.path().join("out");
    // Root writes everywhere; a file in the directory's place refuses root too.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let job = JobId::random();
    std::fs::write(folder.join(job.as_str()), "in the way").unwrap();
    let mut writer = local.create(&key(&job, "cat"), &MediaType::unknown()).await.unwrap();
    writer.write(Bytes::from_static(b"x")).await.unwrap();
    let error = writer.finish().await.unwrap_err();
    assert!(!error.full && error.message.contains("EMP_OUTPUTS") && error.message.contains("out"), "{error}");
}
