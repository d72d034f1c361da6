"""tests/system/test_daemon.py - the life of one daemon: start, unlock, lock, stop, and what it shows
to others on the same machine."""

import os
import pathlib
import re
import resource
import shutil
import socket
import stat
import subprocess
import unittest

import cluster
from cluster import ClusterTest, wait_for

STOP_SECONDS_MAX = 10.0
NAME = "Bridge Legal Aid Phnom Penh"


class Life(ClusterTest):
    def node(self, **options):
        return self.cluster.add(NAME, "KH", **options)

    def next_told(self, notify):
        return notify.recv(1024).decode()

    def test_it_says_when_it_is_ready_and_stops_within_seconds(self):
        node = self.node()
        path = node.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(cluster.DEADLINE_S)
            node.start(wait=False, env=dict(node.environment, NOTIFY_SOCKET=str(path)))
            self.assertIn("READY=1", notify.recv(1024).decode().splitlines())
            self.assertTrue(node.answers())  # Ready means that people can ask.
            self.assertEqual(self.next_told(notify), "STATUS=open; connected nodes: 0")
            self.assertLess(node.stop(), STOP_SECONDS_MAX)
            self.assertEqual(self.next_told(notify), "STOPPING=1")
        self.assertFalse((node.home / "spean.sock").exists())

    def test_it_says_that_it_is_alive_and_locked_to_who_asked_for_it(self):
        node = self.node()
        path = node.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            notify.settimeout(cluster.DEADLINE_S)
            node.start(wait=False, unlock=False, env=dict(
                node.environment, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="2000000"))
            told = [self.next_told(notify) for _ in range(4)]
            node.stop()
        self.assertEqual(told, ["READY=1", "WATCHDOG=1",
                                "STATUS=locked; 'spean unlock' opens it", "WATCHDOG=1"])

    def test_it_stops_within_seconds_with_partners_connected(self):
        first, second = self.node(), self.cluster.add("Hanoi Workers' Centre", "VN")
        self.cluster.form_ledger(first, second)
        self.cluster.in_step(first, second)
        self.assertLess(first.stop(), STOP_SECONDS_MAX)
        first.start()
        self.cluster.in_step(first, second)

    def test_nobody_else_on_the_machine_gets_at_its_files_and_memory(self):
        node = self.node()
        node.start()
        for path in [node.home, *node.home.rglob("*")]:
            if path.name != "lock.mdb":
                self.assertEqual(stat.S_IMODE(path.lstat().st_mode) & 0o077, 0, path)
        self.assertTrue(stat.S_ISSOCK((node.home / "spean.sock").lstat().st_mode))
        self.assertEqual(resource.prlimit(node.process.pid, resource.RLIMIT_CORE), (0, 0))
        process = pathlib.Path(f"/proc/{node.process.pid}")
        self.assertEqual((process / "mem").stat().st_uid, 0)  # Not dumpable: root's alone.
        self.assertNotIn(NAME, (process / "cmdline").read_text())

    def test_a_second_daemon_on_the_same_store_is_refused_by_name(self):
        node = self.node()
        node.start()
        words = [str(cluster.SPEAND), "--home", str(node.home), "--credential",
                 str(node.credential), "--socket", str(node.folder / "other.sock")]
        other = subprocess.run(words, env=node.environment, capture_output=True, text=True,
                               timeout=cluster.DEADLINE_S, check=False)
        self.assertEqual(other.returncode, 1, other.stderr)
        self.assertRegex(other.stderr, "another|already|in use|running")
        self.assertTrue(node.answers())

    def test_a_daemon_without_a_store_says_how_to_make_one(self):
        words = [str(cluster.SPEAND), "--home", str(self.cluster.folder / "nothing")]
        other = subprocess.run(words, capture_output=True, text=True,
                               timeout=cluster.DEADLINE_S, check=False,
                               env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        self.assertEqual(other.returncode, 1, other.stderr)
        self.assertIn("spean init", other.stderr)

    def test_a_command_says_which_of_daemon_and_store_is_missing(self):
        node = self.node()
        error = self.refused(node.run("status", "--json"), 7, "daemon_not_running")
        self.assertIn("speand", error["hint"])
        shutil.rmtree(node.home)
        error = self.refused(node.run("status", "--json"), 10, "no_store")
        self.assertIn("spean init", error["hint"])


class Locking(ClusterTest):
    def setUp(self):
        super().setUp()
        self.node = self.cluster.add(NAME, "KH")

    def test_a_daemon_without_a_credential_is_locked_until_it_is_given(self):
        self.node.start(unlock=False)
        self.assertTrue(self.node.status()["locked"])
        self.refused(self.node.run("agency", "add", "--name", "en=X", "--json"), 11, "locked")
        self.refused(self.node.run("ledger", "found", "--name", "X", "--json", *self.node.admin()),
                     11, "locked")
        self.node.spean("unlock", "--credential", self.node.credential)
        self.assertFalse(self.node.status()["locked"])
        self.node.spean("ledger", "found", "--name", "X", *self.node.admin())
        self.node.spean("lock")
        self.assertTrue(self.node.status()["locked"])

    def test_a_wrong_credential_opens_nothing_and_is_told(self):
        wrong = self.node.write("wrong", os.urandom(32))
        self.node.start(unlock=False)
        self.refused(self.node.run("unlock", "--credential", wrong, "--json"), 12,
                     "wrong_passphrase")
        short = self.node.write("short", os.urandom(31))
        self.refused(self.node.run("unlock", "--credential", short, "--json"), 2)
        self.assertTrue(self.node.status()["locked"])
        self.node.stop()
        words = [str(cluster.SPEAND), "--home", str(self.node.home), "--credential", str(wrong)]
        other = subprocess.run(words, env=self.node.environment, capture_output=True, text=True,
                               timeout=cluster.DEADLINE_S, check=False)
        self.assertEqual(other.returncode, 1)
        self.assertTrue(other.stderr.strip())

    def test_a_wrong_passphrase_of_the_admin_key_changes_nothing(self):
        self.node.start()
        wrong = self.node.write("wrong", b"not this one")
        self.refused(self.node.run("ledger", "found", "--name", "X", "--json", "--admin-key",
                                   self.node.admin_key, "--admin-passphrase-file", wrong), 12,
                     "wrong_passphrase")
        self.assertIsNone(self.node.status()["ledger"])

    def test_a_passphrase_unlocks_and_a_wrong_one_does_not(self):
        node = self.cluster.add("Tokyo Migrant Support", "JP", init=False)
        good, wrong = node.write("good", b"four words in Tokyo"), node.write("wrong", b"other")
        sheet = node.folder / "sheet"
        answers = node.write("answers", f"recovery.words: @{sheet}\n".encode())
        node.spean("init", "--org", node.org_name, "--country", "JP", "--passphrase-file", good,
                   "--sheet", sheet, "--answers", answers, *node.admin())
        node.start(unlock=False)
        self.refused(node.run("unlock", "--passphrase-file", wrong, "--json"), 12,
                     "wrong_passphrase")
        node.spean("unlock", "--passphrase-file", good)
        self.assertFalse(node.status()["locked"])


class SettingUp(ClusterTest):
    def test_wrong_recovery_words_make_nothing(self):
        node = self.cluster.add(NAME, "KH", init=False)
        answers = node.write("answers", b"recovery.words: lorry anchor\n")
        answer = node.run("init", "--org", NAME, "--country", "KH", "--credential",
                          node.credential, "--sheet", node.folder / "sheet", "--answers", answers,
                          "--json", *node.admin())
        self.refused(answer, 2)
        self.assertFalse((node.home / "store").exists())
        self.assertFalse(node.admin_key.exists())

    def test_a_node_is_never_made_over_another(self):
        node = self.cluster.add(NAME, "KH")
        (node.folder / "sheet").unlink()
        node.admin_key.rename(node.folder / "kept.key")
        before = (node.home / "store" / "data.mdb").read_bytes()
        answers = node.folder / "answers"
        answer = node.run("init", "--org", NAME, "--country", "KH", "--credential",
                          node.credential, "--sheet", node.folder / "sheet", "--answers", answers,
                          "--json", *node.admin())
        self.refused(answer, 6)
        self.assertEqual((node.home / "store" / "data.mdb").read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
