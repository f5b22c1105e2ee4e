//! Output stores: a directory, memory, and a bucket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod s3;
mod store;
mod sweep;

use bytes::Bytes;
use emp_core::job::JobId;
use emp_engine::outputs::{FileKey, FileName, MediaType, Outputs as _};
use emp_outputs::{OpenError, OutputStore};
use futures_util::TryStreamExt as _;

fn key(job: &JobId, wish: &str) -> FileKey {
    let media = MediaType::parse("image/png");
    FileKey { job: job.clone(), attempt: 1, name: FileName::new(0, Some(wish), &media) }
}

async fn put(store: &OutputStore, key: &FileKey, pieces: &[&[u8]]) -> String {
    let mut writer = store.create(key, &MediaType::parse("image/png")).await.unwrap();
    for piece in pieces {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn get(store: &OutputStore, job: &JobId, url: &str) -> Result<Vec<u8>, OpenError> {
    let file = store.open(job, url, None).await?;
    let pieces: Vec<Bytes> = file.body.try_collect().await.unwrap();
    Ok(pieces.concat())
}
