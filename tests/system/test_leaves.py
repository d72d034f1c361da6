"""tests/system/test_leaves.py [--table] - what every command promises, held for every command.

With --json success, error and empty lists are JSON and nothing else; the exit code is one of the
documented ones; --help works; --plain, --quiet, --no-input, --color, --lang and NO_COLOR are taken
by all. The commands come from the program's own table, their examples from leaves.py. --table only
compares the two, without a node.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from cluster import SPEAN, ClusterTest, Failed
from leaves import ELSEWHERE, ROWS, Scene

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", ASAN_OPTIONS="detect_leaks=0")
EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130}
WORKED = (0, 3)
ESCAPE = "\x1b"


def spean(*words, **options):
    return subprocess.run([SPEAN, *words], capture_output=True, text=True, check=False,
                          env=options.pop("env", ENVIRONMENT), stdin=subprocess.DEVNULL, **options)


TABLE = json.loads(spean("help", "--json").stdout)
LEAVES = {leaf["path"]: leaf for group in TABLE["groups"] for leaf in group["commands"]}


def parsed(text):
    """What was printed under --json: one object, or one for each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


class Table(unittest.TestCase):
    def test_every_command_has_an_example_or_a_test_elsewhere(self):
        known = {row.path for row in ROWS} | set(ELSEWHERE)
        self.assertEqual(set(LEAVES) - known, set(), "no example: see tests/system/leaves.py")
        self.assertEqual(known - set(LEAVES), set(), "an example of no command")
        for path, name in ELSEWHERE.items():
            words = ", ".join(f'"{word}"' for word in path.split())
            self.assertIn(words, (HERE / name).read_text(encoding="utf-8"), f"{path}: {name}")


class EveryLeaf(unittest.TestCase):
    """Without a node."""

    def error(self, path, answer, exit_code=None):
        self.assertIn(answer.returncode, EXITS - set(WORKED), path)
        if exit_code is not None:
            self.assertEqual(answer.returncode, exit_code, (path, answer.stdout))
        objects = parsed(answer.stdout)
        self.assertEqual(len(objects), 1, path)
        error = objects[0]["error"]
        self.assertTrue(error["code"] and error["message"], path)
        self.assertIsInstance(error["hint"], str, path)
        self.assertEqual(answer.stderr, "", path)

    def test_help_is_given_by_flag_and_by_verb_as_text_and_as_json(self):
        for path in LEAVES:
            for words in ([*path.split(), "--help"], ["help", *path.split()]):
                answer = spean(*words)
                self.assertEqual((answer.returncode, answer.stderr), (0, ""), path)
                self.assertIn(LEAVES[path]["summary"], answer.stdout)
                answer = spean(*words, "--json")
                self.assertEqual(json.loads(answer.stdout)["path"], path)

    def test_a_line_that_is_not_understood_is_one_json_error_and_exit_2(self):
        for path in LEAVES:
            self.error(path, spean(*path.split(), "--no-such-flag", "--json"), 2)

    def test_a_word_too_many_or_too_few_is_exit_2(self):
        for path, leaf in LEAVES.items():
            if not any(arg["repeats"] for arg in leaf["args"]):
                words = ["7f3a"] * (len(leaf["args"]) + 1)
                self.error(path, spean(*path.split(), *words, "--json"), 2)
            if any(not arg["optional"] for arg in leaf["args"]):
                self.error(path, spean(*path.split(), "--json"), 2)

    def test_a_misspelt_verb_is_refused_with_the_right_one(self):
        for path in LEAVES:
            words = path.split()
            wrong = [*words[:-1], words[-1][:-1] + "q"]
            if " ".join(wrong) in LEAVES:
                continue
            answer = spean(*wrong, "--json")
            self.error(path, answer, 2)
            self.assertIn("did you mean", json.loads(answer.stdout)["error"]["hint"], path)

    def test_without_a_node_each_says_so_in_json_and_talks_plainly_as_text(self):
        plain = ("--plain", "--quiet", "--no-input", "--lang", "km", "--color", "never")
        with tempfile.TemporaryDirectory(prefix="spean-") as home:
            for path, leaf in LEAVES.items():
                if any(not arg["optional"] for arg in leaf["args"]) or path == "init" or any(
                        flag["required"] for flag in leaf["flags"]):
                    continue
                words = [*path.split(), "--home", home]
                answer = spean(*words, "--json", "--no-input")
                if answer.returncode not in WORKED:
                    self.error(path, answer)
                answer = spean(*words, *plain, env=dict(ENVIRONMENT, NO_COLOR="1"))
                self.assertIn(answer.returncode, EXITS, path)
                self.assertNotIn(ESCAPE, answer.stdout + answer.stderr, path)


class EveryExample(ClusterTest):
    """With nodes."""

    def check(self, row, answer):
        if answer.exit not in row.exits:
            raise Failed(f"expected exit {row.exits}: {answer!r}")
        objects = parsed(answer.out)
        self.assertTrue(objects, answer)
        self.assertTrue(all(isinstance(one, dict) for one in objects), answer)
        return objects[0]

    def lists_are_empty(self, node):
        """Lists of a ledger that was just founded."""
        for path, leaf in LEAVES.items():
            last = path.split()[-1]
            if last not in ("list", "inbox", "outbox", "pending", "invitations") or leaf["args"]:
                continue
            answer = node.run(*path.split(), "--json")
            self.assertIn(answer.exit, WORKED, answer)
            self.assertIsInstance(answer.json["items"], list, answer)

    def as_text(self, row, node, words):
        """What only reads is run once more for people, with every flag that shapes its talk."""
        answer = node.run(*row.path.split(), *words, "--plain", "--quiet", "--no-input", "--lang",
                          "en", "--color", "auto", stdin=row.stdin)
        self.assertIn(answer.exit, row.exits, answer)
        self.assertNotIn(ESCAPE, answer.out + answer.err, answer)
        self.assertNotEqual(answer.out, "", answer)

    def picture(self, node):
        """What a command could change, but for what the node does by itself meanwhile."""
        if node.process is None:
            return node.home.exists()
        status = node.status()
        kept = [status["locked"], status["sync"]["paused"], node.api("GET", "/v1/persons")]
        kept += [(log["id"], log["standing"]) for log in node.items("/v1/logs")]
        for path in ("agencies", "cases", "consents", "referrals", "referrals?box=drafts"):
            code, page = node.api("GET", "/v1/" + path, expect=None)
            kept += [page["items"] if code == 200 else code]
        return kept

    def dry_run_changes_nothing(self, row, node, words):
        before = self.picture(node)
        answer = node.run(*row.path.split(), *words, "--json", "--dry-run", stdin=row.stdin)
        self.assertIn(answer.exit, WORKED, answer)
        self.assertIs(answer.json["dry_run"], True, answer)
        self.assertEqual(self.picture(node), before, answer)

    def test_every_example_prints_json_and_ends_as_documented(self):
        scene = Scene(self.cluster)
        for row in ROWS:
            if row.path in ELSEWHERE:
                continue
            node = getattr(scene, row.node)
            if row.before is not None:
                row.before(scene)
            words = row.words(scene)
            if LEAVES[row.path]["changes"]:
                self.dry_run_changes_nothing(row, node, words)
            printed = self.check(row, node.run(*row.path.split(), *words, "--json",
                                               stdin=row.stdin))
            if row.keep is not None:
                scene.kept[row.keep] = printed
            if not LEAVES[row.path]["changes"]:
                self.as_text(row, node, words)
            if row.path == "ledger found":
                self.lists_are_empty(node)


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        sys.argv[1:] = ["Table"]
    unittest.main()
