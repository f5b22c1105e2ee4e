//! Files in a bucket: moto, which speaks S3 over HTTP and is not ours, keeps them. `cargo xtask test` installs it under `target/tools`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use emp_core::Timestamp;
use emp_core::job::JobId;
use emp_engine::outputs::{MediaType, Outputs as _};
use emp_outputs::{OpenError, OutputStore, Swept};
use futures_util::TryStreamExt as _;

use crate::{get, key, put};

/// A server of its own, which dies with the test.
struct Moto {
    process: Child,
    place: String,
}

impl Moto {
    fn start() -> Self {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/moto_server");
        let mut process = Command::new(&tool)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} does not start ({error}): run `cargo xtask test`", tool.display())
            });
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let place = lines.find_map(|line| Some(line.split_once("Running on http://")?.1.trim().to_owned()));
        // It writes a line for each request, which somebody must read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, place: place.expect("it says where it runs") }
    }

    fn store(&self, location: &str) -> OutputStore {
        let settings = [
            ("AWS_ENDPOINT", format!("http://{}", self.place)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "someone".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a word".to_owned()),
        ];
        OutputStore::with(location, settings.map(|(name, value)| (name.to_owned(), value))).unwrap()
    }

    /// Asks for what our store has no verb for.
    fn ask(&self, method: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(&self.place).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: AWS someone:signed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.place
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_bucket_keeps_files_whole_until_their_time_is_up() {
    let moto = Moto::start();
    moto.ask("PUT", "/results");
    let store = moto.store("s3://results/of/us");
    let job = JobId::random();
    let url = put(&store, &key(&job, "cat"), &[b"01234", b"56789"]).await;
    assert_eq!(url, format!("s3://results/of/us/{job}/1/0-cat.png"));
    assert_eq!(get(&store, &job, &url).await.unwrap(), b"0123456789");
    let some = store.open(&job, &url, Some(2..5)).await.unwrap();
    let pieces: Vec<Bytes> = some.body.try_collect().await.unwrap();
    assert_eq!((some.size, pieces.concat()), (10, b"234".to_vec()));
    assert_eq!(store.open(&job, &url, Some(10..20)).await.unwrap_err(), OpenError::Range);
    let told = moto.ask("HEAD", &format!("/results/of/us/{job}/1/0-cat.png")).to_ascii_lowercase();
    assert!(
        told.contains("content-type: image/png") && told.contains("content-disposition: attachment"),
        "{told}"
    );

    let large = put(&store, &key(&job, "large"), &[vec![7; 1 << 20].as_slice(); 12]).await;
    assert_eq!(store.open(&job, &large, None).await.unwrap().size, 12 << 20);

    let foreign = moto.ask("PUT", "/results/of/us/readme");
    assert!(foreign.contains("200"));
    assert_eq!(store.sweep(Timestamp(0)).await.unwrap(), Swept::default());
    let swept = store.sweep(Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(swept, Swept { files: 2, bytes: (12 << 20) + 10 });
    assert_eq!(get(&store, &job, &url).await, Err(OpenError::Missing));
    let left = moto.ask("GET", "/results?list-type=2");
    assert!(left.contains("of/us/readme") && !left.contains(job.as_str()), "{left}");
}

#[tokio::test]
async fn a_file_that_is_given_up_leaves_no_parts_in_the_bucket() {
    let moto = Moto::start();
    moto.ask("PUT", "/results");
    let store = moto.store("s3://results");
    let job = JobId::random();
    let url = put(&store, &key(&job, "cat"), &[b"whole"]).await;
    let mut writer = store.create(&key(&job, "cat"), &MediaType::unknown()).await.unwrap();
    for _ in 0..3 {
        writer.write(Bytes::from(vec![1; 6 << 20])).await.unwrap();
    }
    drop(writer);
    // It is given up beside us.
    while moto.ask("GET", "/results?uploads").contains("<UploadId>") {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&store, &job, &url).await.unwrap(), b"whole");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_says_what_to_do() {
    let moto = Moto::start();
    let store = moto.store("s3://nowhere/x");
    let mut writer = store.create(&key(&JobId::random(), "cat"), &MediaType::unknown()).await.unwrap();
    writer.write(Bytes::from_static(b"x")).await.unwrap();
    let error = writer.finish().await.unwrap_err();
    assert!(
        !error.full && error.message.contains("no such bucket") && error.message.contains("EMP_OUTPUTS"),
        "{error}"
    );
    assert!(!error.message.contains("a word") && !error.message.contains("someone"), "{error}");
}
