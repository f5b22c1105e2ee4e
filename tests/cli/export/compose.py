"""Reads a Compose file as podman-compose does, variables and all, and holds it against the Compose specification."""

import json
import sys

import jsonschema
import podman_compose
import yaml

with open(sys.argv[1]) as file:
    written = yaml.safe_load(file)
with open(sys.argv[2]) as file:
    schema = json.load(file)
schema.pop("$schema", None)
jsonschema.Draft7Validator(schema).validate(written)

# A required variable stops Compose with our sentence.
try:
    podman_compose.rec_subs(written, {})
    sys.exit("a missing variable went through")
except ValueError as error:
    assert "set MY_SERVICE_API_KEY_FILE to a file" in str(error), error

read = podman_compose.rec_subs(written, {"MY_SERVICE_API_KEY_FILE": "./key"})
services = read["services"]
worker = services["my-service-api"]
assert read["configs"]["emp-mapping"]["file"] == sys.argv[3], read["configs"]
assert worker["command"][:2] == ["--mapping", worker["configs"][0]["target"]], worker
assert read["secrets"]["my_service_api_key"]["file"] == "./key", read["secrets"]
assert worker["environment"]["MY_SERVICE_API_KEY_FILE"] == "/run/secrets/my_service_api_key", worker
assert worker["environment"]["MY_SERVICE_BASE_URL"] == "https://api.myservice.com", worker
assert worker["secrets"] == ["my_service_api_key"]
assert worker["stop_grace_period"] == "70s" and worker["init"] is True
assert worker["healthcheck"]["test"] == ["CMD", "emp", "health"]
assert worker["build"]["target"] == "base" and worker["profiles"] == ["my-service-api"]
linked = services["simulation-websocket-0"]
assert linked["network_mode"] == "service:simulation-websocket-0-service", linked
assert "MY_SERVICE_API_KEY_FILE" not in linked["environment"] and "secrets" not in linked
service = services["simulation-websocket-0-service"]
assert service["entrypoint"][1:4] == ["connector", "fake", "SimulationWebsocketConnector"], service
