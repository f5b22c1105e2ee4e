"""Reads a Dockerfile with a parser of its own."""

import json
import sys

from dockerfile_parse import DockerfileParser

with open(sys.argv[1]) as file:
    text = file.read()
parser = DockerfileParser(fileobj=__import__("io").BytesIO(text.encode()))
stages = [one["value"].split(" AS ") for one in parser.structure if one["instruction"] == "FROM"]
assert [name for _, name in stages] == ["build", "base", "simulation"], stages
assert stages[2][0] == "base"
runs = [one["value"] for one in parser.structure if one["instruction"] == "RUN"]
mount, words = runs[-1].split(" ", 1)
assert mount == "--mount=type=bind,target=/opt/install,rw", mount
words = json.loads(words)
copies = [one["value"] for one in parser.structure if one["instruction"] == "COPY"]
assert copies == ["--from=build /emp /usr/local/bin/emp"], copies
assert words[0] == "env" and words[-1] == "true", words
assert "EMP_INSTALL_NOTE=it's a $ and a \" and a 'quote'" in words, words
users = [one["value"] for one in parser.structure if one["instruction"] == "USER"]
assert users[-1] == "10001:10001", users
