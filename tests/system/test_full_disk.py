"""tests/system/test_full_disk.py - a disk that is really full: a small file system for one node.

It is mounted in a mount namespace of the test's own; where that is not permitted, the test is
skipped. What was acknowledged stays, what revokes still commits, and when there is room the node
goes on by itself.
"""

import os
import pathlib
import subprocess
import sys
import unittest

from cluster import SKIPPED, ClusterTest, Failed, wait_for
from story import NAMES, SAMPLES, Story

SMALL_MIB = 14
LARGE_MIB = 96
AGENCIES_TOO_MANY = 500  # For the small disk.
LARGE_STORE = 60  # Agencies.
TEXT = "x" * 3900
INSIDE = "SPEAN_TEST_MOUNTS"


def enter_namespace():
    """Run this script again where it may mount; exit as skipped where nobody lets us."""
    ways = (["unshare", "-m"], ["unshare", "-Urm"])
    for way in ways:
        try:
            tried = subprocess.run([*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                                   capture_output=True, check=False)
        except OSError:
            break
        if tried.returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp(way[0], [*way, sys.executable, "-B", *sys.argv])
    print("skipped: mounting a small file system is not permitted here")
    sys.exit(SKIPPED)


class SmallDisk:
    """A file system of a few MiB at a folder, and a file that uses up what is left of it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.filler = self.folder / "filler"
        self.folder.mkdir(mode=0o700)
        self.mount("-t", "tmpfs", "-o", f"size={SMALL_MIB}m,mode=0700", "tmpfs")

    def mount(self, *words):
        subprocess.run(["mount", *words, str(self.folder)], check=True)

    def fill(self, leave=0):
        """Leave not one block, or so many bytes."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(b"\xff" * size)
                except OSError:
                    pass
            if leave > 0:
                file.truncate(file.tell() - leave)

    def empty(self):
        """Make room, and more of it than there was."""
        self.filler.unlink()
        self.mount("-o", f"remount,size={LARGE_MIB}m")

    def remove(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


class FullDisk(ClusterTest):
    def small(self, name):
        """A node whose home lies on a small disk."""
        node = self.cluster.add(*name, init=False)
        disk = SmallDisk(node.home)
        self.addCleanup(disk.remove)
        node.init()
        return node, disk

    def add(self, node, count, expect=None):
        names = {lang: f"Agency {count} {TEXT}" for lang in ("en", "km", "vi", "ja")}
        return node.api("POST", "/v1/agencies", {"set": {"names": names}}, expect)

    def add_until_refused(self, node):
        """Write until it is refused; return the refusal and how many agencies went in."""
        for count in range(AGENCIES_TOO_MANY):
            status, answer = self.add(node, count)
            if status != 200:
                return status, answer["error"], count
        raise Failed("the disk never filled")

    def knock(self, host, guest):
        """Let guest ask to be taken in by host; return its org and digits."""
        guest.start()
        code = host.write("invitation", host.spean("member", "invite")["code"].encode())
        guest.spean("member", "join", "--file", code, "--wait", "0", *guest.admin(), expect=3)
        row = wait_for(lambda: host.api("GET", "/v1/pending")["items"], "a newcomer knocks")[0]
        return row["org"], row["digits"]

    def members(self, node):
        return len(node.api("GET", "/v1/members")["items"])

    def step(self, node):
        return node.status()["room"]["step"]

    def test_who_writes_is_refused_in_time_and_what_revokes_still_commits(self):
        host, disk = self.small(NAMES[0])
        guest, late = (self.cluster.add(*name) for name in NAMES[1:])
        self.cluster.form_ledger(host, guest)
        case = host.spean("case", "add", "--from", SAMPLES / "case.json")["code"]
        consent = host.spean("consent", "record", "--case", case, "--from",
                             SAMPLES / "consent.json", "--to", guest.status()["org"])["id"]
        org, digits = self.knock(host, late)
        self.assertEqual(self.step(host), "plenty")
        self.assertTrue((host.home / "store" / "ballast").exists())

        status, error, count = self.add_until_refused(host)
        self.assertEqual((status, error["code"]), (507, "full"), error)
        self.assertTrue(error["hint"])
        wait_for(lambda: self.step(host) in ("no_writes", "none"), "status names the step")
        self.assertFalse(host.status()["health"]["ok"])
        self.assertIn("MiB left", host.run("status").out)
        refused = host.run("agency", "add", "--name", "en=No room", "--kind", "shelter", "--json")
        self.refused(refused, 1, "full")

        disk.fill()
        host.spean("member", "approve", org, "--digits", digits, *host.admin())
        host.spean("consent", "withdraw", consent, "--channel", "phone", "--yes")
        self.assertEqual(self.members(host), 3)
        self.assertIn("ballast_dropped", host.log.read_text())
        wait_for(lambda: self.members(guest) == 3, "the charter arrives at a partner's")
        host.kill()
        host.start()
        self.assertEqual(self.members(host), 3)
        self.assertTrue(host.api("GET", f"/v1/consents/{consent}")["fields"]["withdrawn"])

        disk.empty()
        wait_for(lambda: self.step(host) == "plenty", "room is seen")
        self.add(host, count, 200)
        self.cluster.in_step(host, guest, late)
        self.assertGreaterEqual(len(guest.items("/v1/agencies")), count + 1)
        self.assertTrue(host.spean("verify")["ok"])
        host.stop()
        host.start()
        self.assertTrue((host.home / "store" / "ballast").exists())
        self.assertEqual(host.complaints(), [])

    def test_a_partner_without_room_takes_documents_and_later_the_rest(self):
        host = self.cluster.add(*NAMES[0])
        guest, disk = self.small(NAMES[1])
        late = self.cluster.add(*NAMES[2])
        self.cluster.form_ledger(host, guest)
        org, digits = self.knock(host, late)
        for count in range(AGENCIES_TOO_MANY):
            self.add(host, count, 200)
        wait_for(lambda: self.step(guest) == "none" or "disk_full" in guest.log.read_text(),
                 "the partner's disk is full")
        self.assertFalse(guest.status()["health"]["ok"])
        disk.fill()
        host.spean("member", "approve", org, "--digits", digits, *host.admin())
        wait_for(lambda: self.members(guest) == 3, "the charter arrives on the full disk")
        self.assertTrue(guest.answers())

        disk.empty()
        self.cluster.in_step(host, guest, late)
        self.assertEqual(len(guest.items("/v1/agencies")), len(host.items("/v1/agencies")))
        self.assertTrue(guest.spean("verify")["ok"])
        self.assertEqual(guest.complaints(), [])

    def test_what_was_erased_is_destroyed_when_there_is_room_for_that(self):
        story = Story(self.cluster)
        story.tokyo, disk = self.small(NAMES[2])
        story.nodes = (story.phnom_penh, story.tokyo)
        self.cluster.form_ledger(*story.nodes, erasure_delay="0")
        for count in range(LARGE_STORE):
            self.add(story.tokyo, count, 200)
        self.cluster.in_step(*story.nodes)
        story.prepare("--urgency", "emergency")
        story.wait_state(story.tokyo, "sent")
        wait_for(lambda: story.payload(story.tokyo), "an emergency's details come at once")
        store = story.tokyo.home / "store"
        disk.fill(leave=(store / "data.mdb").stat().st_size // 2)

        story.step(story.tokyo, "decline", "--reason", "no_capacity")
        wait_for(lambda: "not destroyed yet" in story.tokyo.run("status").out, "status says so")
        self.assertEqual(story.payload(story.tokyo), {})
        self.assertEqual(sorted(path.name for path in store.glob("data.mdb*")), ["data.mdb"])
        story.tokyo.kill()
        story.tokyo.start()
        wait_for(lambda: not story.tokyo.status()["health"]["ok"], "still not")

        disk.empty()
        story.tokyo.stop()
        story.tokyo.start()  # Else it is tried again within a minute.
        wait_for(lambda: story.seen(story.phnom_penh)["fields"].get("purge_receipts"),
                 "a receipt of who destroyed it")
        self.assertNotIn("not destroyed yet", story.tokyo.run("status").out)
        self.assertTrue(story.tokyo.spean("verify")["ok"])
        self.assertEqual(story.tokyo.complaints(), [])


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_namespace()
    unittest.main()
