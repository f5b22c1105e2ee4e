//! rust-analyzer in a project whose mapping is broken: the connectors are still there.

use std::io::{BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::conduct::library;
use crate::support::{cargo, edit, program, target};

/// Longer than rust-analyzer takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A language server, spoken to over its pipes.
struct Server {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
}

impl Server {
    fn start(project: &Path) -> Self {
        let mut command = program("rust-analyzer", project);
        command.env("CARGO_TARGET_DIR", target()).env("CARGO_NET_OFFLINE", "true");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("rust-analyzer is there: `rustup component add rust-analyzer`");
        let to = child.stdin.take().expect("a pipe");
        let mut pipe = BufReader::new(child.stdout.take().expect("a pipe"));
        let (send, from) = channel();
        std::thread::spawn(move || {
            while let Some(message) = receive(&mut pipe) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, to, from, next: 0 }
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("sends");
        self.to.flush().expect("sends");
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The next message that is wanted. What the server asks meanwhile is answered with nothing.
    fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.from.recv_timeout(left).unwrap_or_else(|_| panic!("not in time: {what}"));
            if let (Some(id), true) = (message.get("id"), message.get("method").is_some()) {
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null }));
            }
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.until(method, |message| {
            let answers = message["id"] == id && message.get("method").is_none();
            answers.then(|| message["result"].clone())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One message of the protocol: a head that tells the length, and so many bytes.
fn receive(pipe: &mut impl std::io::BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        pipe.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim() {
            "" => break,
            line => {
                if let Some(told) = line.strip_prefix("Content-Length: ") {
                    length = told.parse().ok()?;
                }
            }
        }
    }
    let mut text = vec![0; length];
    pipe.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn uri(file: &Path) -> String {
    format!("file://{}", file.canonicalize().expect("it is there").display())
}

#[test]
fn an_editor_finds_the_connectors_while_the_mapping_is_broken() {
    let home = TempDir::new().expect("a folder");
    let project = library(&home, "library-ide");
    let lib = project.join("src/lib.rs");
    let user =
        "\n/// Uses one.\npub fn used() -> connectors::my_service::MyServicePayload {\n    todo!()\n}\n";
    let text = std::fs::read_to_string(&lib).expect("reads") + user;
    std::fs::write(&lib, &text).expect("writes");
    edit(
        &project.join("service-mapping.json"),
        "\"connector\": \"MyServiceConnector\"",
        "\"connector\": \"Gone\"",
    );
    // The build is broken, and says so as a compile error of the package.
    let broken = crate::support::run(cargo(&project).args(["check", "--quiet"])).exits(101);
    assert!(broken.err.contains("error[EMP0210]"), "{broken:#?}");

    let mut server = Server::start(&project);
    let capabilities = json!({ "experimental": { "serverStatusNotification": true } });
    let options = json!({ "checkOnSave": false, "cachePriming": { "enable": false } });
    server.ask(
        "initialize",
        &json!({
            "processId": null, "rootUri": uri(&project),
            "capabilities": capabilities, "initializationOptions": options,
        }),
    );
    server.notify("initialized", &json!({}));
    let health = server.until("the workspace is loaded", |message| {
        let params = &message["params"];
        let quiet = message["method"] == "experimental/serverStatus" && params["quiescent"] == true;
        quiet.then(|| params["health"].clone())
    });
    assert_ne!(health, "error", "rust-analyzer loads the workspace");

    let found = server.ask("workspace/symbol", &json!({ "query": "MyServiceConnector" }));
    let places: Vec<&str> = found
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|symbol| symbol["location"]["uri"].as_str())
        .collect();
    let source = uri(&project.join("connectors/my_service.rs"));
    assert!(places.contains(&source.as_str()), "{found:#}");

    // From a use of the payload to its declaration: the module tree is whole.
    let line = text.lines().position(|line| line.contains("MyServicePayload")).expect("it is there");
    let column = text.lines().nth(line).and_then(|line| line.find("MyServicePayload")).expect("it is there");
    server.notify(
        "textDocument/didOpen",
        &json!({ "textDocument": { "uri": uri(&lib), "languageId": "rust", "version": 1, "text": text } }),
    );
    let place = json!({ "textDocument": { "uri": uri(&lib) }, "position": { "line": line, "character": column + 2 } });
    let definition = server.ask("textDocument/definition", &place);
    assert_eq!(definition[0]["uri"], source, "{definition:#}");
}
