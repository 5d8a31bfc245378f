"""Checks what the manifests of docs/deployment/kubernetes promise beyond their fields' names.

    manifests.py GATEWAY-BINARY

Needs PyYAML. Each check is a line, "ok - …" or "not ok - …"; the exit code is 0 when all hold.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "docs/deployment/kubernetes"


def load():
    objects = {}
    for file in sorted(MANIFESTS.glob("*.yaml")):
        for one in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            objects[one["kind"]] = one
    return objects


def seconds(span):
    number, unit = re.fullmatch(r"(\d+)(s|m)", span).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def accepted_by(gateway, settings):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(settings)
        file.flush()
        check = subprocess.run([gateway, "check-config", "--config", file.name], capture_output=True, text=True, check=False)
    for line in (check.stdout + check.stderr).splitlines():
        print(f"# {line}")
    return check.returncode == 0


def checks(gateway):
    objects = load()
    text = objects["ConfigMap"]["data"]["boltgate.toml"]
    settings = tomllib.loads(text)
    pod = objects["Deployment"]["spec"]["template"]
    spec = pod["spec"]
    [container] = spec["containers"]
    port_of = lambda setting: int(settings[setting]["listen"].rpartition(":")[2])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    yield "the gateway accepts the ConfigMap's settings", accepted_by(gateway, text)
    yield "the container's ports are those of the settings", ports == {"http": port_of("server"), "admin": port_of("admin")}
    for probe, path in (("livenessProbe", "/live"), ("readinessProbe", "/ready")):
        yield f"the {probe} asks for {path} on the admin port", container[probe]["httpGet"] == {"path": path, "port": "admin"}
    stop = seconds(settings["server"]["drain_delay"]) + seconds(settings["server"]["shutdown_timeout"])
    yield "the grace period is longer than draining and stopping", spec["terminationGracePeriodSeconds"] > stop
    probe = container["readinessProbe"]
    noticed = (probe["periodSeconds"] + probe["timeoutSeconds"]) * probe["failureThreshold"]
    yield "readiness is noticed to be gone while the gateway still serves", noticed < seconds(settings["server"]["drain_delay"])
    labels = pod["metadata"]["labels"]
    selected = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        *(constraint["labelSelector"]["matchLabels"] for constraint in spec["topologySpreadConstraints"]),
    ]
    yield "everything selects the pods", all(one.items() <= labels.items() for one in selected)
    yield "the service is for clients only", [one["targetPort"] for one in objects["Service"]["spec"]["ports"]] == ["http"]
    yield "there is a limit of memory and none of processors", set(container["resources"]["limits"]) == {"memory"}
    confined = container["securityContext"]
    yield "the container is confined", (
        spec["securityContext"]["runAsNonRoot"]
        and spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        and not spec["automountServiceAccountToken"]
        and not confined["allowPrivilegeEscalation"]
        and confined["readOnlyRootFilesystem"]
        and confined["capabilities"] == {"drop": ["ALL"]}
    )
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    yield "volumes and mounts have the same names", set(mounts) == {volume["name"] for volume in spec["volumes"]}
    token = next(one["value"] for one in container["env"] if one["name"] == "BOLTGATE_ADMIN__TOKEN_FILE")
    yield "the token's file is in the secret", token.rpartition("/")[2] in objects["Secret"]["stringData"] and token.startswith(mounts["secrets"])


def main():
    failed = 0
    for claim, holds in checks(sys.argv[1]):
        print(f"{'ok' if holds else 'not ok'} - manifests: {claim}")
        failed += not holds
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
