"""tests/system/test_openapi.py - docs/openapi.json against a real node, asked by curl.

Every operation of the document is called on a node's socket as CALLS say, with the document's own
example as its body; what stands in an example for an id or a code (REAL) is put in before. What
comes back has to fit the schema that the document gives for its status, and to have no key that
the schema does not name. An operation that is new needs an example in the document, if it has a
body, and a line in CALLS.

Before it is made, each change is made as a dry run, which says so and after which everything that
can be read is as it was.
"""

import json
import pathlib
import subprocess
import unittest

from cluster import DEADLINE_S, ClusterTest, Failed, wait_for

try:
    import jsonschema
except ImportError:
    jsonschema = None

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
REFUSED = "default"

# Changes of which no call is good here: the test that makes a dry run of each.
DRY_ELSEWHERE = {
    "ledger_found": "unit/node/test_core.c: a_dry_run_of_documents_changes_nothing",
    "join": "unit/node/test_core.c: a_dry_run_of_documents_changes_nothing",
    "charter_add": "unit/node/test_core.c: a_dry_run_of_documents_changes_nothing",
    "statement_add": "unit/node/test_core.c: a_dry_run_of_documents_changes_nothing",
    "node_accept": "it writes nothing",
    "node_join": "unit/node/test_lobby_node.c: a_dry_run_of_joining_or_refusing_changes_nothing",
    "node_refuse": "unit/node/test_lobby_node.c: a_dry_run_of_joining_or_refusing_changes_nothing",
}

# What is read before and after; what changes by itself in it is left out.
READ_NOT = ("metrics", "doctor", "version", "export", "sync_plan", "events")
MOVES = ("last_seen", "last_contact", "bytes_today", "room", "partners", "health")


class Call:
    """One request: which operation, what stands in its path and behind "?", and in its body what
    the document's example does not say. keep: a name for what comes back. refused: it has to be."""

    def __init__(self, operation, path=None, query="", body=None, keep=None, refused=False):
        self.operation = operation
        self.path = path or {}
        self.query = query
        self.body = body
        self.keep = keep
        self.refused = refused


# Names in braces are what an earlier call kept, or one of REAL.
CALLS = [
    Call("version"),
    Call("node"),
    Call("lock"),
    Call("agencies", refused=True),
    Call("unlock", refused=True),
    Call("unlock", body={"credential": "{credential}"}),
    Call("status"),
    Call("node_accept", refused=True),
    Call("ledger"),
    Call("ledger_found", refused=True),
    Call("charter"),
    Call("charter_add", refused=True),
    Call("members"),
    Call("invite", keep="invitation"),
    Call("invitations", query="?for=organisation"),
    Call("invitation_cancel", {"number": "{invitation}"}, query="?dry_run=1"),
    Call("invitation_cancel", {"number": "{invitation}"}),
    Call("invitation_cancel", {"number": "{invitation}"}, refused=True),
    Call("join_state"),
    Call("join", refused=True),
    Call("pending"),
    Call("pending_refuse", {"org": "{newcomer}"}),
    Call("pending_refuse", {"org": "{newcomer}"}, refused=True),
    Call("statement_add", refused=True),
    Call("node_invite"),
    Call("node_join", refused=True),
    Call("person_add"),
    Call("person_add", refused=True),
    Call("persons"),
    Call("person_retire", {"name": "sokha"}),
    Call("person_retire", {"name": "admin"}, refused=True),
    Call("nodes", keep="nodes"),
    Call("node_rename", {"node": "{node}"}),
    Call("node_rename", {"node": "ffffffffffff"}, refused=True),
    Call("node_refuse", {"node": "ffffffffffff"}, refused=True),
    Call("agency_add", keep="agency"),
    Call("agency_add", query="?dry_run=1"),
    Call("agencies", query="?country=JP&status=active&service=legal&language=ja&q=a&limit=10"),
    Call("agency", {"id": "{agency}"}),
    Call("agency", {"id": "ffffffffffff"}, refused=True),
    Call("agency_edit", {"id": "{agency}"}),
    Call("agency_history", {"id": "{agency}"}),
    Call("agencies_import"),
    Call("case_add", keep="case"),
    Call("cases"),
    Call("cases", query="?status=active&issue=debt&risk_level=low&opened_from=2026&opened_to=2036"),
    Call("cases_find"),
    Call("cases_find", body={"text": " "}, refused=True),
    Call("case", {"id": "{case}"}),
    Call("case_edit", {"id": "{case}"}),
    Call("case_history", {"id": "{case}"}, query="?limit=1"),
    Call("case_history", {"id": "{case}"}, query="?after=1", refused=True),
    Call("case_retention", {"id": "{case}"}),
    Call("case_retention", {"id": "{case}"}, body={"delete_on": "2031"}, refused=True),
    Call("cases", query="?due=1"),
    Call("cases_import"),
    Call("export", query="?type=case"),
    Call("consent_record", keep="consent"),
    Call("consents", query="?case={case}"),
    Call("consent", {"id": "{consent}"}),
    Call("referral_create", keep="referral"),
    Call("referral_edit", {"id": "{referral}"}),
    Call("referral_preview", {"id": "{referral}"}),
    Call("referral_step", {"id": "{referral}", "step": "close"}, refused=True),
    Call("referral_step", {"id": "{referral}", "step": "send"}),
    Call("referrals", query="?box=out"),
    Call("referrals", query="?case={case}"),
    Call("referral", {"id": "{referral}"}),
    Call("referral_history", {"id": "{referral}"}),
    Call("consent_withdraw", {"id": "{consent}"}),
    Call("code_add", keep="code"),
    Call("code_add", body={"fixed": {"list": "scheme", "code": "x"}, "set": {"mapped_to": "x"}},
         refused=True),
    Call("code", {"id": "{code}"}),
    Call("codes", query="?list=scheme&limit=3"),
    Call("codes", query="?unmapped=1"),
    Call("code_list_add"),
    Call("code_lists"),
    Call("events", query="?limit=5"),
    Call("events", query="?after=nowhere", refused=True),
    Call("metrics"),
    Call("doctor"),
    Call("org"),
    Call("logs", keep="logs"),
    Call("entries", {"id": "{log}"}),
    Call("entries", {"id": "{log}"}, query="?whole=1&after=1"),
    Call("entry", {"id": "{log}", "seq": "1"}),
    Call("log_pause", {"id": "{log}"}, refused=True),  # Its own.
    Call("log_resume", {"id": "{log}"}, refused=True),
    Call("log_pause", {"id": "{their_log}"}),
    Call("log_resume", {"id": "{their_log}"}),
    Call("aside"),
    Call("verify"),
    Call("sync"),
    Call("sync_plan"),
    Call("sync_pause"),
    Call("sync_resume"),
]


def substituted(value, real):
    """Put what is real wherever a text of an example is a name of it."""
    if isinstance(value, dict):
        return {key: substituted(item, real) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, real) for item in value]
    return real.get(value, value) if isinstance(value, str) else value


class Names:
    """What the document names: the keys of answers."""

    def __init__(self, document):
        self.document = document

    def found(self, ref):
        place = self.document
        for word in ref.removeprefix("#/").split("/"):
            place = place[word]
        return place

    def flat(self, schema):
        """The schemas that say something of one value, without references and choices."""
        if "$ref" in schema:
            return self.flat(self.found(schema["$ref"]))
        inner = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, [])]
        return [schema] + [leaf for part in inner for leaf in self.flat(part)]

    def strangers(self, value, schemas, place):
        """The keys of value that no schema names; where none names any, all may be there."""
        leaves = [leaf for schema in schemas for leaf in self.flat(schema)]
        if isinstance(value, list):
            items = [leaf["items"] for leaf in leaves if "items" in leaf]
            return [name for item in value for name in self.strangers(item, items, place + "[]")]
        if not isinstance(value, dict):
            return []
        naming = [leaf["properties"] for leaf in leaves if "properties" in leaf]
        others = [leaf["additionalProperties"] for leaf in leaves
                  if "additionalProperties" in leaf]
        found = []
        for key, item in value.items():
            named = [row[key] for row in naming if key in row] or others
            if naming and not named:
                found.append(f"{place}.{key}")
            found += self.strangers(item, named, f"{place}.{key}")
        return found


@unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
class OpenApi(ClusterTest):
    def setUp(self):
        super().setUp()
        self.dry = set()
        self.document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
        self.names = Names(self.document)
        self.operations = {operation["operationId"]: (method, path, operation)
                           for path, methods in self.document["paths"].items()
                           for method, operation in methods.items()}

    def asked(self, node, method, path, body):
        """What curl says: the status and the object."""
        words = ["curl", "--silent", "--show-error", "--max-time", str(DEADLINE_S),
                 "--unix-socket", str(node.home / "spean.sock"), "--request", method.upper(),
                 "--write-out", "\n%{http_code} %{content_type}", "http://localhost" + path]
        if body is not None:
            words += ["--header", "Content-Type: application/json", "--data-binary", "@-"]
        finished = subprocess.run(words, input=None if body is None else json.dumps(body),
                                  capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            raise Failed(f"{method} {path}: curl: {finished.stderr}")
        said, _, last = finished.stdout.rpartition("\n")
        status, _, kind = last.partition(" ")
        return status, kind, said

    def body_of(self, operation, call, real):
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return None
        example = content["application/json"]["example"]
        return substituted(example if call.body is None else call.body, real)

    def fits(self, call, operation, status, said):
        """Insist on the schema that the document gives for this status."""
        responses = operation["responses"]
        documented = responses.get(status, responses[REFUSED])
        self.assertEqual(status in responses, not call.refused, (call.operation, status, said))
        if "$ref" in documented:
            documented = self.document["components"]["responses"]["Error"]
        if "text/plain" in documented["content"]:
            return said
        schema = {"components": self.document["components"],
                  **documented["content"]["application/json"]["schema"]}
        answer = json.loads(said)
        try:
            jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)
        except jsonschema.ValidationError as err:
            raise Failed(f"{call.operation}: {'.'.join(map(str, err.absolute_path))}: "
                         f"{err.message}") from err
        self.assertEqual(self.names.strangers(answer, [schema], call.operation), [],
                         "no schema names these")
        return answer

    @staticmethod
    def writes(operation):
        return any(row.get("$ref", "").endswith("/dry_run")
                   for row in operation.get("parameters", []))

    def still(self, value):
        """What does not change by itself."""
        if isinstance(value, dict):
            return {key: self.still(item) for key, item in value.items() if key not in MOVES}
        return [self.still(item) for item in value] if isinstance(value, list) else value

    def seen(self, node):
        """All that can be read without naming anything."""
        found = {}
        for name, (method, path, _) in self.operations.items():
            if method == "get" and "{" not in path and name not in READ_NOT:
                status, answer = node.api("GET", path, expect=None)
                found[name] = (status, self.still(answer))
        return found

    def dry_run(self, node, method, path, body):
        """Insist that a dry run says that it is one, and changes nothing. It is made twice should
        something come from elsewhere meanwhile."""
        for _ in range(2):
            before = self.seen(node)
            status, answer = node.api(method.upper(), path, body, expect=None)
            self.assertEqual(status, 200, (path, answer))
            self.assertIs(answer.get("dry_run"), True, (path, answer))
            for wrong in ("?dry_run=yes", "?dryrun=1"):
                self.assertEqual(node.api(method.upper(), path.replace("?dry_run=1", wrong), body,
                                          expect=None)[0], 400, path + wrong)
            after = self.seen(node)
            if before == after:
                return
        self.assertEqual(before, after, path)

    def run_call(self, node, call, real):
        method, path, operation = self.operations[call.operation]
        for name, value in call.path.items():
            path = path.replace("{" + name + "}", real.get(value, value))
        query = call.query
        for name, value in real.items():
            query = query.replace(name, value)
        body = self.body_of(operation, call, real)
        if self.writes(operation) and not call.refused and not query:
            self.dry_run(node, method, path + "?dry_run=1", body)
            self.dry.add(call.operation)
        status, kind, said = self.asked(node, method, path + query, body)
        self.assertTrue(kind.startswith(("application/json", "text/plain")), (path, kind))
        answer = self.fits(call, operation, status, said)
        if call.keep == "logs":
            real["{log}"] = next(log["id"] for log in answer["items"] if log["self"])
            real["{their_log}"] = next(log["id"] for log in answer["items"] if not log["self"])
        elif call.keep == "nodes":
            real["{node}"] = next(row["signing"] for row in answer["items"] if row["self"])
        elif call.keep == "invitation":
            real["{invitation}"] = str(answer["number"])
        elif call.keep is not None:
            real["{" + call.keep + "}"] = answer["id"]
        return answer

    def newcomer(self, host, guest):
        """Have guest knock, and say who it is."""
        code = guest.write("code", host.spean("member", "invite")["code"].encode())
        guest.spean("member", "join", "--file", code, "--wait", "0", *guest.admin(), expect=3)
        return wait_for(lambda: host.api("GET", "/v1/pending")["items"], "a newcomer")[0]["org"]

    def test_every_operation_answers_as_the_document_says(self):
        host = self.cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        partner = self.cluster.add("Tokyo Migrant Support", "JP")
        guest = self.cluster.add("Hanoi Workers' Centre", "VN")
        self.cluster.form_ledger(host, partner)
        guest.start()
        real = {"{newcomer}": self.newcomer(host, guest),
                "{credential}": host.credential.read_bytes().hex()}
        examples = self.document["components"]["x-examples"]
        for call in CALLS:
            real.update({examples["case"]: real.get("{case}", ""),
                         examples["consent"]: real.get("{consent}", ""),
                         examples["org"]: partner.status()["org"]})
            self.run_call(host, call, real)
        self.assertEqual(set(self.operations) - {call.operation for call in CALLS}, set(),
                         "no call: see CALLS")
        writes = {name for name, (_, _, operation) in self.operations.items()
                  if self.writes(operation)}
        self.assertEqual(writes, self.dry | set(DRY_ELSEWHERE), "no dry run: see DRY_ELSEWHERE")
        self.assertEqual({name for name, (method, _, _) in self.operations.items()
                          if method != "get"} - writes, {"cases_find"}, "no dry_run")

    def test_the_document_is_whole(self):
        """Every reference leads somewhere, every body has an example, every path its names."""
        text = json.dumps(self.document)
        for part in text.split('"$ref": "#/')[1:]:
            place = self.document
            for word in part.partition('"')[0].split("/"):
                place = place[word]
        for name, (method, path, operation) in self.operations.items():
            names = [row["name"] for row in operation.get("parameters", []) if "name" in row
                     and row["in"] == "path"]
            self.assertEqual(names, [word[1:-1] for word in path.split("/") if word[:1] == "{"])
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                self.assertIn("example", kind, name)
                schema = {"components": self.document["components"], **kind["schema"]}
                jsonschema.validate(kind["example"], schema,
                                    cls=jsonschema.Draft202012Validator)


if __name__ == "__main__":
    unittest.main()
