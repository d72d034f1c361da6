"""tests/system/test_inputs.py - whatever a program on this machine sends, the local API answers with
one clear error, and the node goes on.

The operations, their examples and the names they know come from docs/openapi.json: a route that is
new is tested as soon as it is described there. Requests that might be good say dry_run=1.
"""

import json
import pathlib
import unittest

from cluster import ClusterTest, Failed, UnixConnection

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
DEPTH_MAX = 32
BODY_BYTES_MAX = 1 << 20
VALUE_BYTES_MAX = 256

LIMITS = ("", "0", "1001", "-1", "+1", "1.5", "0x1", "1%20", "abc", "9" * 40)
TEXTS = ("%00", "%FF", "%C0%80", "%ED%A0%80", "%0A", "%", "%4", "%zz", "x" * (VALUE_BYTES_MAX + 1))
CURSORS = ("-1", "zzz", "9" * 40, "1-", "-", "1-1-1-1", "b1-1-zz", "b", "a" * 64, "18446744073709551615",
           "18446744073709551615-18446744073709551615", "now", "%E1%9E%9F")
QUERIES = ("no_such_name=1", "dry-run=1", "dry_run=0", "dry_run=true", "dry_run=", "dry_run",
           "limit=1&limit=2", "=1", "&", "a=1&&b=2", "&".join(f"n{i}=1" for i in range(17)))

# What is no JSON object in UTF-8, with each key once, no NUL, and not too deep.
NOT_JSON = (b"{", b"nul", b"[]", b"7", b'"text"', b"null", b"{}{}", b"{'a': 1}", b'{"a": 1,}',
            b'{"a": 1, "a": 1}', b'{"a": "\x00"}', b'{"a": "\\u0000"}', b'{"a": "\xff"}',
            b'{"a": "\xc0\x80"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\\ud800"}', b'{"a": 1e999}',
            b'{"a": 99999999999999999999999}', b'{"a": NaN}', b"\xef\xbb\xbf{}",
            b'{"a": ' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"}",
            b'{"a": ' + b'{"b": ' * 100000)

# In the place of each value of an example.
VALUES = (None, True, -1, 0, 1.5, 1 << 53, (1 << 63) - 1, "", "x", "\u1797", "x" * 70000, [], [[]], {},
          {"": None}, ["x"] * 300, "18446744073709551616")

# Good requests that change what the others find, or wait.
LEFT_OUT = ("lock", "unlock")


class Inputs(ClusterTest):
    def setUp(self):
        super().setUp()
        self.document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
        self.node = self.cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        self.cluster.form_ledger(self.node)
        self.connection = None
        self.asked = 0

    def tearDown(self):
        if self.connection is not None:
            self.connection.close()

    def ask(self, method, path, data=None):
        """Send bytes; return the status, after insisting that the answer is one of ours."""
        if self.connection is None:
            self.connection = UnixConnection(self.node.home / "spean.sock")
        headers = {} if data is None else {"Content-Type": "application/json"}
        self.connection.request(method, path, data, headers)
        response = self.connection.getresponse()
        said = response.read()
        if response.will_close:
            self.connection.close()
            self.connection = None
        self.asked += 1
        what = (method, path[:200], (data or b"")[:200], response.status, said[:300])
        self.assertLess(response.status, 500, what)
        answer = json.loads(said) if response.headers["Content-Type"].startswith(
            "application/json") else None
        if response.status >= 400:
            error = answer["error"]
            self.assertTrue(error["code"] and error["message"], what)
            self.assertIn(error["exit"], range(1, 13), what)
        return response.status

    def refused(self, method, path, data=None, statuses=(400,)):
        self.assertIn(self.ask(method, path, data), statuses, (method, path[:200], (data or b"")[:200]))

    def operations(self):
        """(method, path with its names filled in, names of the query, example or None, operation)."""
        shared = self.document["components"]["parameters"]
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                names = []
                for row in operation.get("parameters", []):
                    row = shared[row["$ref"].split("/")[-1]] if "$ref" in row else row
                    if row["in"] == "query":
                        names.append(row["name"])
                content = operation.get("requestBody", {}).get("content", {})
                example = content["application/json"]["example"] if content else None
                yield method.upper(), path, names, example, operation["operationId"]

    def alive(self):
        self.assertFalse(self.node.status()["locked"])
        self.assertEqual(self.node.complaints(), [])

    @staticmethod
    def filled(path):
        return "/".join("ffffffff" if word[:1] == "{" else word for word in path.split("/"))

    def test_a_query_that_is_not_known_or_cannot_be_read_is_refused(self):
        for method, path, names, _, _ in self.operations():
            path = self.filled(path)
            for query in QUERIES:
                self.refused(method, f"{path}?{query}")
            for name in names:
                for text in TEXTS:
                    self.refused(method, f"{path}?{name}={text}")
            if "limit" in names:
                for text in LIMITS:
                    self.refused(method, f"{path}?limit={text}")
            if "wait_s" in names:
                for text in ("-1", "3601", "abc", "", "9" * 40):
                    self.refused(method, f"{path}?wait_s={text}")
            self.refused(method, path + "?limit=" + "1" * 5000, statuses=(414, 400))
        self.alive()

    def test_a_cursor_of_nowhere_ends_nothing_but_the_request(self):
        for method, path, names, _, _ in self.operations():
            if "after" in names and "type" not in names:
                for text in CURSORS:
                    self.ask(method, f"{self.filled(path)}?after={text}&limit=1")
        self.alive()

    def test_names_in_a_path_are_read_strictly(self):
        for method, path, _, _, _ in self.operations():
            if "{" not in path:
                continue
            for text in TEXTS:
                words = [text if word[:1] == "{" else word for word in path.split("/")]
                self.refused(method, "/".join(words))
            for text in ("..", "%2F", "%27", "'", "0", "-1", "f" * 64, "f" * 256, "9" * 40):
                words = [text if word[:1] == "{" else word for word in path.split("/")]
                dry = "?dry_run=1" if method != "GET" else ""
                self.assertGreaterEqual(self.ask(method, "/".join(words) + dry), 400)
        self.alive()

    def test_what_is_no_json_object_is_refused(self):
        for method, path, _, _, _ in self.operations():
            if method == "GET":
                self.refused(method, self.filled(path), b"{}")
                continue
            for data in NOT_JSON:
                self.refused(method, self.filled(path), data)
            if not path.endswith("/import"):
                data = b'{"x": "' + b"x" * BODY_BYTES_MAX + b'"}'
                self.refused(method, self.filled(path), data, statuses=(413,))
        self.alive()

    def test_a_key_that_is_not_known_is_refused(self):
        for method, path, _, _, name in self.operations():
            if method != "GET" and "{" not in path:
                self.refused(method, path + ("" if name == "cases_find" else "?dry_run=1"),
                             b'{"no_such_key": 1}', statuses=(400, 409))
        self.alive()

    def mutated(self, example):
        """The example with one value after the other, of two levels, replaced by each of VALUES."""
        for key, value in example.items():
            for other in VALUES:
                yield {**example, key: other}
            if isinstance(value, dict):
                for inner in value:
                    for other in VALUES:
                        yield {**example, key: {**value, inner: other}}

    def test_values_of_another_kind_or_out_of_range_end_nothing_but_the_request(self):
        for method, path, names, example, name in self.operations():
            if method == "GET" or not example or name in LEFT_OUT:
                continue
            target = self.filled(path) + ("?dry_run=1" if "dry_run" in names else "")
            for body in self.mutated(example):
                self.ask(method, target, json.dumps(body).encode())
        self.assertGreater(self.asked, 500)
        self.alive()


if __name__ == "__main__":
    unittest.main()
