"""Holds Kubernetes manifests against Kubernetes' own schemas."""

import sys

import kubernetes_validate
import yaml

with open(sys.argv[1]) as file:
    documents = list(yaml.safe_load_all(file))
for document in documents:
    kubernetes_validate.validate(document, "1.33", strict=True)
kinds = [document["kind"] for document in documents]
assert kinds == ["ConfigMap"] + ["Deployment", "HorizontalPodAutoscaler"] * 2, kinds
with open(sys.argv[3]) as file:
    assert documents[0]["data"]["service-mapping.json"] == file.read()
worker = next(one for one in documents if one["metadata"]["name"] == "my-service-api")
(container,) = worker["spec"]["template"]["spec"]["containers"]
env = {one["name"]: one for one in container["env"]}
assert env["MY_SERVICE_API_KEY"]["valueFrom"]["secretKeyRef"]["key"] == "MY_SERVICE_API_KEY", env
assert "value" not in env["MY_SERVICE_API_KEY"]
assert env["EMP_STORE"]["valueFrom"]["secretKeyRef"]["key"] == "EMP_STORE", env
