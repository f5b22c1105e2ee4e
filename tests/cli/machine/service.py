"""A simulation service for SimulationWebsocketConnector. It keeps its jobs on disk, so that they outlive it, has a helper that leaves its
process group, as services do, and does not start where nothing has installed it."""

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

home, port = pathlib.Path(sys.argv[1]), int(os.environ["EMP_PORT"])
version = (home / "version").read_text().strip()
jobs = home / f"jobs-{port}"
jobs.mkdir(exist_ok=True)
helper = subprocess.Popen(["sleep", "1000"], start_new_session=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        if self.path != "/jobs":
            return self.answer(404, {"error": "no such path"})
        job = {"id": str(uuid.uuid4()), "ends": time.time() + body["duration_ms"] / 1000, "echo": body.get("echo")}
        (jobs / job["id"]).write_text(json.dumps(job))
        self.answer(201, {"id": job["id"]})

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"version": version})
        file = jobs / pathlib.PurePath(self.path).name
        if not self.path.startswith("/jobs/") or not file.exists():
            return self.answer(404, {"error": "no such job"})
        job = json.loads(file.read_text())
        done = time.time() >= job["ends"]
        self.answer(200, {"status": "completed" if done else "running", "result": {"output": job["echo"]}})


print(f"simulation {version} on port {port}", flush=True)
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
