"""Checks deploy/ and .github/: schemas where they are published, and what must be true of every pod.

    check.py HELP KUBECTL

HELP is a file with the output of `einthoven serve --help`; KUBECTL may be empty: the overlays are not rendered then. Prints one
line for each thing checked, ends with 1 where anything is wrong.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import helm_python
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.34"
# What the server reads without a flag.
WITHOUT_FLAG = {"EINTHOVEN_OWNER_KEY"}
problems = []


def wrong(where, what):
    problems.append(f"{where}: {what}")


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def pod_of(document):
    kind = document["kind"]
    if kind in ("Deployment", "StatefulSet", "Job", "DaemonSet"):
        return document["spec"]["template"]["spec"]
    return document["spec"] if kind == "ServingRuntime" else None


def restricted(where, pod):
    """The restricted profile of the Pod Security Standards, as far as it speaks of what we set, and a read-only root."""
    outer = pod.get("securityContext", {})
    for container in pod["containers"]:
        inner = container.get("securityContext", {})
        both = {**outer, **inner}
        for name, value in [
            ("runAsNonRoot", both.get("runAsNonRoot") is True),
            ("runAsUser", both.get("runAsUser", 0) != 0),
            ("allowPrivilegeEscalation", inner.get("allowPrivilegeEscalation") is False),
            ("readOnlyRootFilesystem", inner.get("readOnlyRootFilesystem") is True),
            ("capabilities", inner.get("capabilities", {}).get("drop") == ["ALL"]),
            ("seccompProfile", both.get("seccompProfile", {}).get("type") == "RuntimeDefault"),
        ]:
            if not value:
                wrong(where, f"{name} is not as the restricted profile has it")
        if "limits" not in container.get("resources", {}):
            wrong(where, "no limit of memory")
    for volume in pod.get("volumes", []):
        if not set(volume) & {"emptyDir", "persistentVolumeClaim", "secret", "configMap", "projected"}:
            wrong(where, f"volume {volume['name']} is of a kind that the restricted profile refuses")


def pod_is_true(where, pod, flags, variables):
    for container in pod["containers"]:
        names = [entry["name"] for entry in container.get("env", [])]
        for name in names:
            if name.startswith("EINTHOVEN_") and name not in variables:
                wrong(where, f"{name} is no variable of the server's")
        if len(names) != len(set(names)):
            wrong(where, "a variable is given twice")
        for argument in container.get("args", []):
            if argument.startswith("--") and argument.split("=")[0] not in flags:
                wrong(where, f"{argument} is no flag of the server's")
        mounted = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        if set(mounted) - volumes:
            wrong(where, f"mounts without a volume: {set(mounted) - volumes}")
        values = {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
        port = values.get("EINTHOVEN_LISTEN", "").rsplit(":", 1)[-1]
        ports = {str(entry["containerPort"]) for entry in container["ports"]}
        if port not in ports:
            wrong(where, f"listens on {port}, and its ports are {ports}")
        if values.get("EINTHOVEN_DATA") not in mounted.values():
            wrong(where, "the data folder is no volume")
        for probe, path in [("livenessProbe", "/v1/health/live"), ("readinessProbe", "/v1/health/ready")]:
            given = container.get(probe, {}).get("httpGet", {}).get("path", path)
            if given != path:
                wrong(where, f"{probe} asks for {given}")
        drain, grace = int(values.get("EINTHOVEN_DRAIN_DELAY_S", 0)), int(values.get("EINTHOVEN_GRACE_S", 0))
        if drain + grace >= pod.get("terminationGracePeriodSeconds", 10**6):
            wrong(where, "Kubernetes kills it before it has ended in order")


def selectors(where, found):
    """Every service, budget, autoscaler and policy is about the pods that there are."""
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in found if d["kind"] == "Deployment"]
    port = {"http", 5000}
    for document in found:
        kind, spec = document["kind"], document.get("spec", {})
        selector = None
        if kind == "Service":
            selector = spec["selector"]
            if not {entry["targetPort"] for entry in spec["ports"]} <= port:
                wrong(where, "the service's target is not the server's port")
        elif kind in ("Deployment", "PodDisruptionBudget"):
            selector = spec["selector"]["matchLabels"]
        elif kind == "NetworkPolicy":
            selector = spec["podSelector"]["matchLabels"]
            if "Ingress" in spec["policyTypes"] and {"podSelector": {}} not in spec["ingress"][0]["from"]:
                wrong(where, "pods of the same namespace are not let in")
        elif kind == "HorizontalPodAutoscaler" and spec["scaleTargetRef"]["name"] not in [
            d["metadata"]["name"] for d in found if d["kind"] == "Deployment"
        ]:
            wrong(where, "the autoscaler scales nothing")
        if selector is not None:
            selected = [labels for labels in pods if selector and selector.items() <= labels.items()]
            if len(selected) != 1:
                wrong(where, f"{kind} selects {selector}, pods have {pods}")


def manifests(where, text, flags, variables):
    found = documents(text)
    for document in found:
        name = f"{where}: {document['kind']} {document['metadata']['name']}"
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as cause:
            wrong(name, cause.message)
        pod = pod_of(document)
        if pod:
            restricted(name, pod)
            pod_is_true(name, pod, flags, variables)
    selectors(where, found)
    print(f"{where}: {len(found)} resources against the schemas of Kubernetes {KUBERNETES}")
    return found


def roles(where, found):
    """Deployments of several roles have one each, and each names the service of the other."""
    services = {document["metadata"]["name"] for document in found if document["kind"] == "Service"}
    said = {}
    for document in (document for document in found if document["kind"] == "Deployment"):
        environment = pod_of(document)["containers"][0]["env"]
        values = {entry["name"]: entry.get("value", "") for entry in environment}
        other = values.get("EINTHOVEN_OTHER_ROLE_URL", "")
        said[values.get("EINTHOVEN_ROLE", "all")] = (document["metadata"]["name"], re.sub(r"https?://|\..*", "", other))
    if set(said) == {"registry", "router"}:
        if said["registry"][0] != said["router"][1] or said["router"][0] != said["registry"][1]:
            wrong(where, f"the roles do not name each other: {said}")
        if not {name for name, _ in said.values()} <= services:
            wrong(where, f"a role has no service: {said}")
    elif set(said) != {"all"}:
        wrong(where, f"roles: {said}")


def keeps_to_one_server(where, found):
    """What a server has of its own is found again by who asks through a service of several."""
    stateless = {d["metadata"]["name"] for d in found if d["kind"] == "Deployment" and d["spec"].get("replicas") != 1}
    for document in (document for document in found if document["kind"] == "Service"):
        if document["metadata"]["name"] in stateless and document["spec"].get("sessionAffinity") != "ClientIP":
            wrong(where, f"the service {document['metadata']['name']} sends the same client to several servers")


def kinds(found):
    return sorted(document["kind"] for document in found)


def helm(flags, variables):
    shared = {"database": {"secret": "db"}, "bucket": {"secret": "bucket"}}
    replicas = {**shared, "masterKey": {"secret": "master", "previous": "before"}}
    cases = {
        "one server": {},
        "replicas": replicas,
        "replicas by queues": {**replicas, "autoscaling": {"queueWait": "20m"}, "publicUrls": ["https://ecg.example.org"]},
        "roles": {**replicas, "roles": {"separate": True}},
        "no autoscaler": {**replicas, "autoscaling": {"enabled": False}, "networkPolicy": {"enabled": False}},
    }
    with helm_python.Chart.load(str(DEPLOY / "helm/einthoven")) as chart:
        for title, values in cases.items():
            rendered = chart.render(values, name="ecg", namespace="cardiology")
            text = "\n---\n".join(text for name, text in rendered.items() if name.endswith(".yaml"))
            found = manifests(f"chart, {title}", text, flags, variables)
            roles(f"chart, {title}", found)
            keeps_to_one_server(f"chart, {title}", found)
            scaled = "HorizontalPodAutoscaler" in kinds(found)
            if scaled != (title in ("replicas", "replicas by queues", "roles")):
                wrong(f"chart, {title}", f"autoscaler: {scaled}")
            if ("PersistentVolumeClaim" in kinds(found)) != (title in ("one server", "roles")):
                wrong(f"chart, {title}", "a volume where none belongs, or none where one does")
        for title, values in {
            "a log without files": {"database": {"secret": "db"}},
            "several servers without a master key": shared,
            "roles without what they share": {"roles": {"separate": True}},
            "an unknown value": {"imagee": {}},
            "no owner": {"owner": {"secret": ""}},
        }.items():
            try:
                chart.render(values, name="ecg", namespace="cardiology")
                wrong("chart", f"{title} is taken")
            except helm_python.HelmError:
                print(f"chart, {title}: refused")


def schema(builtin, files):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", builtin, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        wrong(builtin, done.stdout + done.stderr)
    print(f"{len(files)} files against the schema {builtin}")


def unit():
    """systemd's own checks, where it is installed: the unit is whole, and what it could do if it were taken over is little."""
    if not shutil.which("systemd-analyze"):
        print("skipped: the unit was not verified, for there is no systemd-analyze")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "einthoven.service"
        # The program need not be installed here.
        path.write_text((DEPLOY / "systemd/einthoven.service").read_text().replace("/usr/bin/einthoven", "/bin/true"))
        verified = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
        if verified.returncode or verified.stderr.strip():
            wrong("systemd", verified.stderr)
        security = ["systemd-analyze", "security", "--offline=true", "--threshold=20", path]
        rated = subprocess.run(security, capture_output=True, text=True)
        if rated.returncode:
            wrong("systemd", rated.stdout[-400:] + rated.stderr)
    print("the unit by systemd-analyze verify and security, at most 2.0")


def variables_in(path, variables):
    for name in set(re.findall(r"\bEINTHOVEN_[A-Z_]+\b", path.read_text())):
        if name not in variables:
            wrong(path.relative_to(ROOT), f"{name} is no variable of the server's")


def main():
    help_text, kubectl = pathlib.Path(sys.argv[1]).read_text(), sys.argv[2]
    flags = set(re.findall(r"(--[a-z][a-z-]+)", help_text))
    variables = set(re.findall(r"\[env: ([A-Z_]+)", help_text)) | WITHOUT_FLAG
    if kubectl:
        for folder in ("base", "overlays/replicas", "overlays/roles"):
            path = DEPLOY / "kubernetes" / folder
            text = subprocess.run([kubectl, "kustomize", path], capture_output=True, text=True, check=True).stdout
            found = manifests(f"kustomize, {folder}", text, flags, variables)
            roles(f"kustomize, {folder}", found)
            keeps_to_one_server(f"kustomize, {folder}", found)
    else:
        print("skipped: the overlays were not rendered, for there is no kubectl")
    helm(flags, variables)
    runtime = documents((DEPLOY / "kserve/servingruntime.yaml").read_text())[0]
    restricted("KServe", {**runtime["spec"]})
    pod_is_true("KServe", runtime["spec"], flags, variables)
    schema("vendor.compose-spec", [DEPLOY / "compose/compose.yaml"])
    workflows = [*sorted((ROOT / ".github/workflows").glob("*.yml")), DEPLOY / "ci/promote-model.yml"]
    schema("vendor.github-workflows", workflows)
    # The client's variables stand in workflows and instructions, too.
    client = variables | {"EINTHOVEN_KEY", "EINTHOVEN_KEY_FILE", "EINTHOVEN_SERVER"}
    for pattern in ("container/Containerfile*", "compose/compose.yaml", "systemd/*", "kserve/*"):
        for path in DEPLOY.glob(pattern):
            variables_in(path, variables)
    for path in [*workflows, ROOT / "docs/kubernetes.md", ROOT / "docs/observe.md"]:
        variables_in(path, client)
    names = re.findall(r"\b(?:einthoven|process)_[a-z_]+", (DEPLOY / "prometheus/adapter.yaml").read_text())
    if not names:
        wrong("adapter", "no series")
    dashboard = json.loads((DEPLOY / "grafana/einthoven.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(ids) != len(set(ids)):
        wrong("dashboard", "two panels of one number")
    unit()
    for problem in problems:
        print("WRONG", problem)
    sys.exit(bool(problems))


main()
