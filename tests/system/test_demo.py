"""tests/system/test_demo.py - tools/demo.sh tells its story to the end, with the programs as they were
built, and leaves nothing behind: no file and no process, also when somebody ends it halfway."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from cluster import BUILD, DEADLINE_S, Failed, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "tools" / "demo.sh"
LIMIT_S = 240
USAGE = 2

# What the story must have told, in this order; the demo itself checks each step.
TOLD = ("is a member now", "Agencies, in four languages", "Phnom Penh sees it: completed",
        "The office's keys came in one grant", "none opens with a key of theirs",
        "are in Tokyo's files", "Done: everything was as it should be.")


def processes_of(folder):
    """Id and command line of each process that names a folder on it."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue  # It ended meanwhile.
        if str(folder).encode() in words:
            found[int(entry.name)] = words
    return found


class Demo(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="spean-demo-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(self.end_all)
        # A process that may not be traced cannot look for its own leaks.
        self.environment = dict(os.environ, TMPDIR=folder.name, ASAN_OPTIONS="detect_leaks=0")

    def end_all(self):
        """Whatever a demo that broke off has left running in the folder of this test."""
        for process in processes_of(self.folder):
            os.kill(process, signal.SIGKILL)

    def start(self, *words):
        # Its scratch folder is in TMPDIR, so it is empty again when the demo has tidied up.
        demo = subprocess.Popen([DEMO, *words], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(demo.kill)  # Nothing if it has ended.
        return demo

    def run_demo(self, *words):
        demo = self.start(*words)
        try:
            out = demo.communicate(timeout=LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            demo.terminate()
            out = demo.communicate(timeout=DEADLINE_S)[0]
            raise Failed(f"not within {LIMIT_S} s; it told:\n{out}") from None
        return demo.returncode, out

    def has_daemon(self):
        return any(b"speand" in words for words in processes_of(self.folder).values())

    def left_nothing(self):
        self.assertEqual(processes_of(self.folder), {})
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_wrong_words_and_a_folder_without_programs_are_refused_before_anything_is_done(self):
        for words in (["--build"], ["--build", self.folder], ["--build", self.folder / "none"],
                      ["--bild", BUILD], [BUILD]):
            with self.subTest(words=words):
                code, out = self.run_demo(*words)
                self.assertEqual(code, USAGE)
                self.assertIn("--build", out)
                self.left_nothing()

    def test_ended_halfway_it_leaves_nothing_behind(self):
        demo = self.start("--build", BUILD.resolve())
        with demo.stdout:
            wait_for(self.has_daemon, "a daemon of the demo")
            demo.terminate()
            demo.stdout.read()
        self.assertEqual(demo.wait(DEADLINE_S), 1)
        self.left_nothing()

    def test_the_story_is_told_to_its_end_and_nothing_is_left_behind(self):
        code, out = self.run_demo("--build", BUILD.resolve())
        self.assertEqual(code, 0, out)
        at = 0
        for words in TOLD:
            self.assertIn(words, out[at:], out)
            at = out.index(words, at)
        self.left_nothing()


if __name__ == "__main__":
    unittest.main()
