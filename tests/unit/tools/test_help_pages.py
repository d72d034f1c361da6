#!/usr/bin/python3
"""tests/unit/tools/test_help_pages.py SPEAN SPEAND MANUAL - what help makes of the one table.

The manual pages are clean for mandoc and name every command and flag; the completions name every
command, and a real bash completes by them. MANUAL is the page of the daemon, written by hand: it
names every option and every setting that the daemon has.
"""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

SPEAN, SPEAND, MANUAL = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1", ASAN_OPTIONS="detect_leaks=0")
WAIT_S = 30.0


def spean(*words):
    finished = subprocess.run([SPEAN, *words], capture_output=True, text=True, env=ENVIRONMENT,
                              check=True)
    return finished.stdout


TABLE = json.loads(spean("help", "--json"))
GROUPS = TABLE["groups"]
LEAVES = [leaf for group in GROUPS for leaf in group["commands"]]


def plain(page):
    """The words of a page, without what roff needs around them."""
    return page.replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", '"')


class Manual(unittest.TestCase):
    def lint(self, page):
        found = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=page, capture_output=True,
                               text=True, check=False)
        self.assertEqual(found.stdout + found.stderr, "")
        self.assertEqual(found.returncode, 0)

    def test_the_page_of_everything_is_clean_and_names_every_command(self):
        page = spean("help", "--man")
        self.lint(page)
        for leaf in LEAVES:
            self.assertIn(f'.B "spean {leaf["path"]}"\n', plain(page))
        for flag in TABLE["global_flags"]:
            self.assertIn("--" + flag["name"], plain(page))
        for number in (0, 3, 7, 12, 130):
            self.assertIn(f'.B "{number}"\n', page)
        self.assertTrue(page.isascii())

    def test_the_page_of_every_group_is_clean_and_explains_its_commands(self):
        for group in GROUPS:
            page = spean("help", "--man", group["name"])
            self.lint(page)
            words = plain(page)
            for leaf in group["commands"]:
                self.assertIn(f".B spean {leaf['path']}\n", words)
                for flag in leaf["flags"]:
                    self.assertIn("--" + flag["name"], words)
                for example in leaf["examples"]:
                    self.assertIn(example.replace("\\", "\\e"), words)

    def test_the_page_of_every_command_is_clean_and_says_how_it_is_undone(self):
        for leaf in LEAVES:
            words = leaf["path"].split()
            page = spean("help", "--man", *words)
            self.lint(page)
            if leaf["inverse"] is not None:
                self.assertIn(f"Undo:\n.B spean {leaf['inverse']}\n", plain(page))
                self.assertIn(f"Undo: spean {leaf['inverse']}\n", spean("help", *words))

    def test_every_help_text_fits_80_columns(self):
        pages = [["help"]] + [["help", group["name"]] for group in GROUPS]
        for words in pages + [["help", *leaf["path"].split()] for leaf in LEAVES]:
            for line in spean(*words).splitlines():
                self.assertLessEqual(len(line), 80, words)

    def test_an_example_that_is_broken_into_lines_is_the_same_command(self):
        for leaf in LEAVES:
            shown = spean("help", *leaf["path"].split()).split("\nExamples\n")[1]
            joined = re.sub(r" \\\n +", " ", shown)
            for example in leaf["examples"]:
                self.assertIn(f"  {example}\n", joined)

    def test_the_pages_that_are_installed_are_those_of_the_groups(self):
        made = {path.name for path in (SPEAN.parent / "pages" / "man1").iterdir()}
        self.assertEqual(made, {"spean.1"} | {f"spean-{group['name']}.1" for group in GROUPS})

    def test_the_daemons_page_is_clean_and_names_every_option_and_setting(self):
        page = MANUAL.read_text(encoding="utf-8")
        self.lint(page)
        usage = subprocess.run([SPEAND, "--help"], capture_output=True, text=True, env=ENVIRONMENT,
                               check=True).stdout
        options = re.findall(r"^  (--[a-z-]+)", usage, re.MULTILINE)
        self.assertGreater(len(options), 5)
        for option in options:
            self.assertIn(f".B {option}", plain(page))
        source = (MANUAL.parent / "config.c").read_text(encoding="utf-8")
        settings = re.findall(r'\{"([a-z_]+)", [a-z_]+_set\}', source)
        self.assertGreater(len(settings), 5)
        for setting in settings:
            self.assertIn(f".B {setting}\n", page)


class Scripts(unittest.TestCase):
    def test_every_command_and_flag_stands_in_every_script(self):
        for shell in ("bash", "zsh"):
            script = spean("help", "--completion", shell)
            for leaf in LEAVES:
                row = re.search(rf"^    '{leaf['path']}'\) echo '(.*)' ;;$",
                                script.split("_spean_flags()")[1], re.MULTILINE)
                self.assertIsNotNone(row, leaf["path"])
                flags = ["--" + flag["name"] for flag in leaf["flags"]]
                self.assertEqual(row.group(1).split(), flags)
        script = spean("help", "--completion", "fish")
        for leaf in LEAVES:
            above, _, last = leaf["path"].rpartition(" ")
            self.assertIn(f"\"__spean_is '{above}'\" -a '{last}' -d '", script)
            for flag in leaf["flags"]:
                self.assertIn(f"\"__spean_is '{leaf['path']}'\" -l {flag['name']} ", script)

    def test_each_shell_that_is_here_can_read_its_script(self):
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell) is None:
                continue
            script = spean("help", "--completion", shell)
            with tempfile.NamedTemporaryFile("w", suffix="." + shell) as file:
                file.write(script)
                file.flush()
                subprocess.run([shell, "-n", file.name], check=True)

    def test_fish_completes_by_its_script_where_it_is_installed(self):
        if shutil.which("fish") is None:
            self.skipTest("no fish")
        asked = ["spean agen", "spean --json agency li", "spean status --color al",
                 "spean help agency im", "spean agency list --cou"]
        lines = "".join(f"complete -C '{line}' | cut -f1\n" for line in asked)
        finished = subprocess.run(["fish", "--no-config", "-c",
                                   spean("help", "--completion", "fish") + lines],
                                  capture_output=True, text=True, check=True, env=ENVIRONMENT)
        self.assertEqual(finished.stdout.split(),
                         ["agency", "list", "always", "import", "--country"])

    def test_what_is_no_shell_or_no_command_is_refused_with_exit_2(self):
        for words in (["--completion", "tcsh"], ["--completion", "bash", "agency"],
                      ["--completion", "bash", "--man"], ["--man", "agnecy"],
                      ["--man", "agency", "lits"]):
            finished = subprocess.run([SPEAN, "help", *words, "--json"], capture_output=True,
                                      text=True, env=ENVIRONMENT, check=False)
            self.assertEqual(finished.returncode, 2, words)
            self.assertEqual(json.loads(finished.stdout)["error"]["code"], "usage")

    def test_a_page_and_a_script_come_as_json_too(self):
        self.assertIn(".TH SPEAN 1", json.loads(spean("help", "--man", "--json"))["man"])
        script = json.loads(spean("help", "--completion", "bash", "--json"))["completion"]
        self.assertEqual(script, spean("help", "--completion", "bash"))


class Bash(unittest.TestCase):
    """What bash offers after a line; "|" stands where the next word would begin."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="spean-")
        self.addCleanup(self.folder.cleanup)
        self.home = pathlib.Path(self.folder.name)
        (self.home / "script").write_text(spean("help", "--completion", "bash"))
        (self.home / "letter.txt").write_text("")

    def offered(self, *lines):
        """Return the words that are offered after each line, by the function alone."""
        asked = ["source ./script"]
        for line in lines:
            words = " ".join(f"'{word}'" for word in line)
            asked.append(f"COMP_WORDS=({words}); COMP_CWORD={len(line) - 1}; _spean; "
                         'echo "${COMPREPLY[*]}"')
        finished = subprocess.run(["bash", "--norc", "-c", "\n".join(asked)], cwd=self.home,
                                  capture_output=True, text=True, check=True, env=ENVIRONMENT)
        return [line.split() for line in finished.stdout.split("\n")[: len(lines)]]

    def test_every_command_is_found_word_by_word(self):
        lines, wanted = [], []
        for leaf in LEAVES:
            words = leaf["path"].split()
            for at, word in enumerate(words):
                lines.append(["spean", *words[:at], word[:-1]])
                wanted.append(word)
        for line, word, found in zip(lines, wanted, self.offered(*lines)):
            self.assertIn(word, found, line)

    def test_every_flag_is_offered_after_its_command(self):
        lines = [["spean", *leaf["path"].split(), "--"] for leaf in LEAVES]
        for leaf, found in zip(LEAVES, self.offered(*lines)):
            flags = leaf["flags"] + TABLE["global_flags"]
            self.assertEqual(sorted(found), sorted("--" + flag["name"] for flag in flags))

    def test_choices_files_and_private_values_are_offered_where_they_belong(self):
        lines = (["spean", "--color", ""], ["spean", "status", "--color", "al"],
                 ["spean", "status", "--color", "=", "al"], ["spean", "--home", "let"],
                 ["spean", "agency", "import", ""], ["spean", "agency", "import", "let"],
                 ["spean", "--json", "--lang", "km", "agency", "li"],
                 ["spean", "help", "agency", "li"], ["spean", "help", "ag"],
                 ["spean", "agency", "show", ""], ["spean", "nothing", "li"])
        found = self.offered(*lines)
        self.assertEqual(sorted(found[0]), ["always", "auto", "never"])
        self.assertEqual(found[1:4], [["always"], ["always"], ["letter.txt"]])
        self.assertIn("letter.txt", found[4])
        self.assertEqual(found[5:9], [["letter.txt"], ["list"], ["list"], ["agency"]])
        self.assertEqual(found[9:], [[], []])
        private = next(["spean", *leaf["path"].split(), "--" + flag["name"]] for leaf in LEAVES
                       for flag in leaf["flags"] if flag["kind"] == "private")
        found = self.offered([*private, ""], [*private, "@let"])
        self.assertEqual(found, [["@", "-"], ["@letter.txt"]])

    def typed(self, keys, wanted):
        """Type keys at a real bash and wait until wanted stands on the terminal."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"],
                       dict(ENVIRONMENT, PS1="ready> ", TERM="dumb", HISTFILE=""))
        seen = ""
        try:
            for data, until in (("source ./script; echo sour''ced\n", "sourced"),
                                (keys, wanted)):
                os.write(terminal, data.encode())
                while until not in seen:
                    ready, _, _ = select.select([terminal], [], [], WAIT_S)
                    self.assertTrue(ready, f"not within {WAIT_S} s: {wanted!r} in {seen!r}")
                    seen += os.read(terminal, 4096).decode(errors="replace")
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)

    def test_a_real_bash_completes_when_tab_is_typed(self):
        self.typed("spean agen\tlis\t--cou\t", "spean agency list --country ")
        self.typed("spean status --color=al\t", "spean status --color=always ")
        private = next((leaf["path"], flag["name"]) for leaf in LEAVES for flag in leaf["flags"]
                       if flag["kind"] == "private")
        self.typed(f"spean {private[0]} --{private[1]} @let\t", f"--{private[1]} @letter.txt")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
