"""What the API's tests share: a daemon with users of every role, and a client that holds each answer to the document."""
import copy
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import urllib.parse

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "daemon"))

from daemon import RUNNING, Daemon, Folder, make_fleet, run  # noqa: E402,F401

BINARY = os.path.abspath(sys.argv[1])
ROLES = ["viewer", "analyst", "admin"]
PASSWORD = "correct horse battery"
BASE = "http://pinwatch.test/"


class Document:
    """docs/openapi.yaml: its operations, and whether an answer is one of those it describes."""

    def __init__(self):
        self.root = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
        finding = json.loads((ROOT / "schema" / "finding.schema.json").read_text())
        finding["$id"] = BASE + "finding.json"
        text = json.dumps(self.root).replace("../schema/finding.schema.json", finding["$id"])
        self.root = json.loads(text)
        self.resolver = jsonschema.RefResolver(BASE + "openapi.json", self.root,
                                               {finding["$id"]: finding, BASE + "openapi.json": self.root})
        self.operations = {}
        for path, item in self.root["paths"].items():
            for method in ("get", "post", "put", "patch", "delete"):
                if method in item:
                    op = dict(item[method], parameters=item.get("parameters", []) + item[method].get("parameters", []))
                    op["parameters"] = [self.look(p) for p in op["parameters"]]
                    op["path"], op["method"] = path, method.upper()
                    self.operations[method.upper(), path] = op
        self.validators = {}
        self.seen = set()
        self.lock = threading.Lock()

    def look(self, item):
        """What a reference means."""
        while "$ref" in item:
            _, item = self.resolver.resolve(item["$ref"])
        return item

    def whole(self, schema):
        """A schema without references to components, for making examples."""
        if isinstance(schema, list):
            return [self.whole(x) for x in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return self.whole(self.look(schema))
        return {k: self.whole(v) for k, v in schema.items()}

    def operation(self, method, path):
        """The operation that a request's path is, or None."""
        best = None
        for (m, template), op in self.operations.items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if m == method and re.fullmatch(pattern, path) and (best is None or "{" not in template):
                best = op
        return best

    def body(self, op):
        """The schema of a JSON body, or None."""
        content = self.look(op.get("requestBody", {})).get("content", {})
        return self.whole(content["application/json"]["schema"]) if "application/json" in content else None

    def check(self, op, status, headers, text):
        """Fails where the document does not say so."""
        with self.lock: # the resolver is one thread's at a time
            self.check_alone(op, status, headers, text)

    def check_alone(self, op, status, headers, text):
        name = f"{op['method']} {op['path']}: {status}"
        answers = dict(op["responses"])
        if "requestBody" not in op: # as the document's introduction says
            answers.setdefault("413", {"$ref": "#/components/responses/TooLarge"})
        assert str(status) in answers, f"{name} is not in the document: {text[:300]!r}"
        content = self.look(answers[str(status)])["content"]
        kind = headers.get("Content-Type", "").split(";")[0]
        assert kind in content, f"{name}: comes as {kind!r}, expected {list(content)}"
        key = (op["operationId"], status)
        self.seen.add(key)
        if kind != "application/json":
            return
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(content[kind]["schema"], resolver=self.resolver)
        errors = [f"{list(e.absolute_path)}: {e.message[:300]}" for e in self.validators[key].iter_errors(json.loads(text))]
        assert not errors, f"{name}: the body is not as described: {errors[:3]}"


DOCUMENT = Document()


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)


class Client:
    """One connection, kept alive. Every answer is held to the document unless `loose`."""

    def __init__(self, port, token=None, headers=None, loose=False):
        self.port, self.token, self.headers, self.loose = port, token, headers or {}, loose
        self.connection = None

    def raw(self, method, target, body=None, headers=None):
        for attempt in (0, 1):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.request(method, target, body=body, headers=headers or {})
                r = self.connection.getresponse()
                return Answer(r.status, dict(r.getheaders()), r.read().decode("utf-8"))
            except (http.client.RemoteDisconnected, ConnectionError, http.client.CannotSendRequest):
                self.close()
                if attempt:
                    raise
        return None

    def call(self, method, path, body=None, query=None, headers=None):
        """path: below /api/v1, with its names already in place. body: a value, or bytes as they are."""
        headers = dict(self.headers, **(headers or {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        target = "/api/v1" + path + ("?" + urllib.parse.urlencode(query) if query else "")
        answer = self.raw(method, target, body, headers)
        op = DOCUMENT.operation(method, path)
        if op is not None and not self.loose:
            DOCUMENT.check(op, answer.status, answer.headers, answer.text)
        return answer

    def get(self, path, expect=200, **query):
        answer = self.call("GET", path, query=query)
        assert answer.status == expect, f"GET {path}: {answer.status} instead of {expect}: {answer.text[:300]}"
        return answer.json

    def post(self, path, body=None, expect=200):
        answer = self.call("POST", path, body=body)
        assert answer.status == expect, f"POST {path}: {answer.status} instead of {expect}: {answer.text[:300]}"
        return answer.json

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def cli(*words, stdin=None, expect=0, env=None):
    """A subcommand's standard output."""
    done = subprocess.run([BINARY, *map(str, words)], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=60, env={**os.environ, **(env or {})})
    assert done.returncode == expect, f"{words}: {done.returncode} instead of {expect}: {done.stderr}"
    return done.stdout if expect == 0 else done.stderr


class World:
    """A daemon over a small fleet, settled, with a user and a token for each role. Lives until close."""

    def __init__(self, folder, sets=(), devices=8, days=2):
        self.fleet = make_fleet(BINARY, folder / "fleet", "--devices", str(devices), "--days", str(days))
        self.daemon = Daemon(BINARY, folder, self.fleet / "pinwatch.yaml", sets).start()
        RUNNING.remove(self.daemon)  # run() ends what a test leaves; this one serves several
        self.daemon.settle()
        self.state = self.daemon.state
        self.tokens = {}
        for role in ROLES:
            cli("user", "--state", self.state, "add", f"u-{role}", "--role", role, stdin=PASSWORD + "\n")
            self.tokens[role] = cli("user", "--state", self.state, "token", f"u-{role}").strip()

    def close(self):
        if self.daemon.alive():
            self.daemon.kill()

    def client(self, role=None, **more):
        return Client(self.daemon.port, self.tokens[role] if role else None, **more)

    def uids(self, **query):
        return [f["uid"] for f in self.client("viewer").get("/findings", limit=500, **query)["findings"]]


def filled(path, **names):
    """A path with what its names stand for, encoded."""
    for name, value in names.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
    return path


def copy_of(value):
    return copy.deepcopy(value)
