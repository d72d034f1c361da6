"""tests/system/test_watching.py - what a node tells of itself: events, logs as they grow and as
files that anybody can check, figures for Prometheus, the doctor, the own organisation.

The check of an exported log uses spean_wire alone, which was written from docs/PROTOCOL.md.
"""

import json
import re
import signal
import subprocess
import threading
import time
import unittest

import spean_wire as wire
from cluster import DEADLINE_S, SPEAN, ClusterTest, Failed, wait_for
from story import SAMPLES, Story

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

DONE, USAGE, ATTENTION, NOT_FOUND, WRONG_STATE, NO_DAEMON, INTERRUPTED = 0, 2, 3, 5, 6, 7, 130
API = SAMPLES.parents[1] / "docs" / "API.md"


def lines_of(answer):
    """The events of a command, and its summary."""
    rows = [json.loads(line) for line in answer.out.splitlines()]
    return rows[:-1], rows[-1]["summary"]


class Follower:
    """A command that goes on, and what it has printed so far."""

    def __init__(self, test, node, *words):
        command = [str(SPEAN), *words, "--json", "--home", str(node.home)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env=node.environment, text=True)
        self.seen = []
        self.deadline = threading.Timer(2 * DEADLINE_S, self.process.kill)
        self.deadline.start()
        test.addCleanup(self.end)

    def expect(self, what, wanted):
        """Read on until a line is wanted, and return it."""
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
            if wanted(self.seen[-1]):
                return self.seen[-1]
        raise Failed(f"no {what}: {self.seen[-5:]}")

    def interrupt(self):
        """Press Ctrl-C; return the exit code and the last line."""
        self.process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in self.process.stdout]
        return self.process.wait(DEADLINE_S), rest[-1]

    def end(self):
        self.deadline.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Events(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.story.form()

    def test_events_go_on_where_they_ended_after_a_new_start(self):
        story, tokyo = self.story, self.story.tokyo
        story.prepare()
        story.wait_state(tokyo, "sent")
        events, summary = lines_of(tokyo.run("events", "--json"))
        told = [event for event in events if event["event"] == "referral"]
        self.assertEqual([(event["id"], event["state"]) for event in told],
                         [(story.referral, "sent")])
        self.assertTrue(told[0]["code"].startswith("R-"))
        self.assertEqual({event["event"] for event in events},
                         {"charter", "member", "agency", "referral"})
        self.assertEqual(summary["lines"], len(events))

        tokyo.stop()
        tokyo.start()
        nothing, same = lines_of(tokyo.run("events", "--after", summary["last"], "--json"))
        self.assertEqual((nothing, same["last"]), ([], summary["last"]))
        story.accept()
        later, _ = lines_of(tokyo.run("events", "--after", summary["last"], "--json"))
        states = [event["state"] for event in later if event["event"] == "referral"]
        self.assertEqual(states, ["accepted"], "each record once, as it is now")

    def test_there_is_nothing_personal_in_events_and_figures(self):
        story, first = self.story, self.story.phnom_penh
        story.prepare()
        record = json.loads((SAMPLES / "case.json").read_text(encoding="utf-8"))
        texts = [text for text in strings_of(record) if len(text) > 12]
        self.assertGreater(len(texts), 2)
        said = [text for line in first.run("events", "--json").out.splitlines()
                for text in strings_of(json.loads(line))] + [first.run("metrics").out]
        for text in texts:
            self.assertFalse([line for line in said if text in line], text)

    def test_following_tells_of_records_partners_and_the_lock(self):
        story, first = self.story, self.story.phnom_penh
        follower = Follower(self, first, "events", "--follow", "--after", "now")
        follower.expect("health", lambda row: row["event"] == "health" and not row["locked"])
        hanoi = story.org(story.hanoi)
        follower.expect("partner", lambda row: row["event"] == "partner" and row["org"] == hanoi
                        and row["state"] == "connected")
        code = story.open_case()["code"]
        follower.expect("case", lambda row: row["event"] == "case" and row["code"] == code)
        story.hanoi.stop()
        follower.expect("offline", lambda row: row["event"] == "partner" and row["org"] == hanoi
                        and row["state"] == "offline")
        first.spean("lock")
        follower.expect("lock", lambda row: row["event"] == "health" and row["locked"])
        self.assertFalse([row for row in follower.seen if row["event"] == "member"])
        code, last = follower.interrupt()
        self.assertEqual(code, INTERRUPTED)
        self.assertGreater(last["summary"]["lines"], 4)

    def test_locked_nothing_is_told_of_records_and_nothing_is_lost(self):
        first = self.story.phnom_penh
        _, summary = lines_of(first.run("events", "--json"))
        self.story.open_case()
        first.spean("lock")
        nothing, still = lines_of(first.run("events", "--after", summary["last"], "--json"))
        self.assertEqual((nothing, still["last"]), ([], summary["last"]))
        first.spean("unlock", "--credential", first.credential)
        later, _ = lines_of(first.run("events", "--after", summary["last"], "--json"))
        self.assertEqual([event["event"] for event in later], ["case"])

    def test_whoever_follows_learns_that_the_node_stops(self):
        first = self.story.phnom_penh
        follower = Follower(self, first, "events", "--follow", "--after", "now")
        follower.expect("health", lambda row: row["event"] == "health")
        self.wrong_places_are_refused(first)
        first.stop()
        self.assertIn("daemon_not_running", follower.process.stdout.read())
        self.assertEqual(follower.process.wait(DEADLINE_S), NO_DAEMON)


    def wrong_places_are_refused(self, first):
        for place in ("nowhere", "1", "1-", "-1", "1-2-3", "9" * 60):
            for more in ([], ["--follow"]):
                answer = first.run("events", "--after", place, "--json", *more)
                self.refused(answer, USAGE)
        for place in ("999999-1", "1-999999", "0-" + "9" * 19):
            for more in ([], ["--follow"]):
                answer = first.run("events", "--after", place, "--json", *more)
                self.assertIn("anew", self.refused(answer, WRONG_STATE, "cursor_beyond")["hint"])


def strings_of(value):
    """Every text that stands somewhere in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings_of(item)]
    return [value] if isinstance(value, str) else []


class Unsound(Exception):
    """An exported log is not what its nodes signed."""


def insist(holds, what):
    if not holds:
        raise Unsound(what)


def check_entry(log, entry, before):
    """Check one entry behind before, (seq, id), and return its own."""
    header = bytes.fromhex(entry["header"])
    fields = wire.unpack(header)
    seq, previous = fields[1:3]
    length, digest = fields[7:9]
    insist((seq, previous) == (before[0] + 1, before[1]), "the chain is broken")
    identity = wire.entry_id(bytes.fromhex(log["id"]), header)
    insist(entry["id"] == identity.hex() and entry["seq"] == seq, "another id")
    if entry["stored"] is not None:
        body = bytes.fromhex(entry["stored"])
        insist(len(body) == length and wire.body_hash(body) == digest, "another body")
    else:
        insist(entry["body"] in ("missing", "erased"), "a body without a reason is gone")
    if entry["signature"] is not None:
        try:
            wire.verify(bytes.fromhex(log["signing"]), "spean/commit/1",
                        bytes.fromhex(log["id"]) + identity, bytes.fromhex(entry["signature"]))
        except Exception as err:
            raise Unsound("a signature does not hold") from err
    return seq, identity


def check_export(rows):
    """Check every log of an export by docs/API.md and docs/PROTOCOL.md; return the entries."""
    insist(rows[0].get("export", {}).get("format") == "spean-logs-1", "no export")
    insist("summary" in rows[-1], "cut short")
    ledger = bytes.fromhex(rows[0]["export"]["ledger"])
    logs, at, count, last = {}, {}, 0, {}
    for row in rows[1:-1]:
        if "log" in row:
            log = row["log"]
            own = wire.log_id(ledger, bytes.fromhex(log["org"]), bytes.fromhex(log["signing"]))
            insist(log["id"] == own.hex(), "a log of another key")
            logs[log["id"]], at[log["id"]] = log, (0, wire.NO_ID)
        else:
            entry = row["entry"]
            at[entry["log"]] = check_entry(logs[entry["log"]], entry, at[entry["log"]])
            last[entry["log"]] = entry
            count += 1
    for name, log in logs.items():
        insist(at[name][0] == log["height"], "entries are lacking")
        insist(name not in last or log["cut"] or last[name]["signature"], "the end is not signed")
    insist(rows[-1]["summary"] == {"logs": len(logs), "entries": count}, "lines are lacking")
    return count


class Watching(ClusterTest):
    def setUp(self):
        super().setUp()
        self.first = self.cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        self.partner = self.cluster.add("Tokyo Migrant Support", "JP")
        self.cluster.form_ledger(self.first, self.partner)
        self.cluster.in_step(self.first, self.partner)

    def own_log(self):
        return next(log for log in self.first.items("/v1/logs") if log["self"])

    # Logs

    def test_a_log_is_followed_as_it_grows(self):
        log = self.own_log()
        follower = Follower(self, self.first, "log", "follow", log["id"], "--after",
                            str(log["height"]))
        self.first.spean("case", "add", "--from", SAMPLES / "case.json")
        row = follower.expect("change", lambda row: row["kind"] == "change")
        self.assertEqual(row["body"], "held")
        self.assertEqual([seen["seq"] for seen in follower.seen],
                         list(range(log["height"] + 1, row["seq"] + 1)))
        code, last = follower.interrupt()
        self.assertEqual(code, INTERRUPTED)
        self.assertGreaterEqual(last["summary"]["last"], row["seq"])

        self.followed_from_a_place()

    def followed_from_a_place(self):
        rows, summary = lines_of(self.first.run("log", "follow", self.own_log()["id"], "--after",
                                                "0", "--count", "1", "--json"))
        self.assertEqual(([row["seq"] for row in rows], summary["last"]), ([1], 1))
        self.refused(self.first.run("log", "follow", "ffffffff", "--json"), NOT_FOUND)

    def exported(self, *words):
        path = self.first.folder / f"logs-{len(words)}-{time.monotonic_ns()}.jsonl"
        answer = self.first.spean("log", "export", *words, "--out", path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(answer["entries"], rows[-1]["summary"]["entries"])
        return rows

    def test_an_exported_log_is_checked_from_the_documents_alone(self):
        for _ in range(3):
            self.first.spean("case", "add", "--from", SAMPLES / "case.json")
        rows = self.exported()
        self.assertEqual(check_export(rows),
                         sum(log["height"] for log in self.first.items("/v1/logs")))
        one = self.exported(self.own_log()["id"][:12])
        self.assertEqual((one[-1]["summary"]["logs"], check_export(one)),
                         (1, self.own_log()["height"]))
        self.changes_are_found_out(rows)

    def changes_are_found_out(self, rows):
        place = next(at for at, row in enumerate(rows) if row.get("entry", {}).get("signature"))
        for name in ("header", "signature", "stored", "id"):
            changed = json.loads(json.dumps(rows))
            value = changed[place]["entry"][name]
            changed[place]["entry"][name] = value[:-1] + ("0" if value[-1] != "0" else "1")
            with self.assertRaises(Exception, msg=name):
                check_export(changed)
        for gone in (place, -1, len(rows) - 2):
            with self.assertRaises(Exception):
                check_export([row for at, row in enumerate(rows) if at != gone % len(rows)])

        self.no_export_takes_the_place_of_a_file()

    def no_export_takes_the_place_of_a_file(self):
        path = self.first.write("there", b"mine")
        self.refused(self.first.run("log", "export", "--out", path, "--json"), WRONG_STATE)
        self.assertEqual(path.read_bytes(), b"mine")
        self.refused(self.first.run("log", "export", "ffffffff", "--out", str(path) + "2",
                                    "--json"), NOT_FOUND)
        self.assertFalse(path.with_name("there2").exists())

    # Figures

    @unittest.skipIf(text_string_to_metric_families is None,
                     "python3-prometheus-client is not installed")
    def test_figures_are_in_the_format_of_prometheus(self):
        text = self.first.run("metrics").out
        families = list(text_string_to_metric_families(text))
        listed = set(re.findall(r"`(spean_[a-z_]+)", API.read_text(encoding="utf-8")))
        self.assertEqual({family.name for family in families}, listed, "docs/API.md")
        for family in families:
            self.assertEqual(family.type, "gauge", family.name)
            self.assertTrue(family.documentation, family.name)
            self.assertRegex(family.name, r"^spean_[a-z]+(_[a-z]+)*$")
            self.assertTrue(family.samples, family.name)
        names = [sample[0] + str(sample[1]) for family in families for sample in family.samples]
        self.assertEqual(len(names), len(set(names)), "no sample twice")
        for line in text.splitlines():
            self.assertRegex(line, r"^# (HELP|TYPE) spean_|^spean_[a-z_]+(\{[a-z]+=\"[^\"\\]*\"\})? "
                                   r"[0-9]+$")
        printed = self.first.spean("metrics")["metrics"]
        self.assertEqual(len(printed), len(names))

    # The doctor

    def checks(self, expect=DONE, node=None):
        answer = (node or self.first).spean("doctor", expect=expect)
        self.assertEqual(answer["attention"], expect == ATTENTION, answer)
        return {check["check"]: check for check in answer["checks"]}

    def test_the_doctor_finds_nothing_wrong_with_a_node_that_is_well(self):
        found = self.checks()
        self.assertGreater(set(found), {"home", "store", "disk", "daemon", "hardening", "locked",
                                        "room", "clock", "keys", "listening", "partner"})
        self.assertIn("we can call them", found["partner"]["text"])
        self.assertIn("they can call us", found["partner"]["text"])
        self.assertEqual(found["hardening"]["state"], "ok")

    def test_the_doctor_says_what_to_do(self):
        self.first.spean("lock")
        self.assertEqual(self.checks(ATTENTION)["locked"]["do"], "spean unlock")
        self.first.stop()
        found = self.checks(ATTENTION)
        self.assertIn("speand --home", found["daemon"]["do"])
        self.assertEqual(found["store"]["state"], "ok")
        (self.first.home / "store").chmod(0o755)
        self.assertIn("chmod go-rwx", self.checks(ATTENTION)["store"]["do"])
        (self.first.home / "store").chmod(0o700)
        nowhere = self.first.run("doctor", "--json", "--home", self.first.folder / "nowhere")
        self.assertIn(nowhere.exit, (USAGE, ATTENTION))

    def test_the_doctor_names_partners_that_cannot_meet(self):
        for node in (self.first, self.partner):
            node.stop()
        conf = self.first.home / "spean.conf"
        conf.write_text(conf.read_text() + "dial = off\n" if conf.exists() else "dial = off\n")
        conf.chmod(0o600)
        self.first.start("--advertise", "")
        partner = wait_for(lambda: self.checks(ATTENTION).get("partner"), "a finding")
        self.assertEqual(partner["state"], "attention")
        self.assertIn("spean member relay add", partner["do"])

    # The own organisation, and talk

    def test_the_organisation_is_shown_and_its_record_changed(self):
        shown = self.first.spean("org", "show")
        self.assertEqual([node["standing"] for node in shown["statement"]["nodes"]], ["open"])
        self.assertEqual(shown["statement"]["generation"], 1)
        self.first.spean("org", "edit", "--website", "https://example.org")
        record = self.first.spean("org", "show")["agency"]
        self.assertEqual(record["fields"]["website"], "https://example.org")
        self.cluster.in_step(self.first, self.partner)
        path = "/v1/agencies/" + record["id"]
        wait_for(lambda: self.partner.api("GET", path)["fields"].get("website"), "the website")
        self.first.spean("lock")
        self.assertIsNone(self.first.spean("org", "show")["agency"])
        self.refused(self.first.run("org", "edit", "--email", "a@example.org", "--json"), 11)

        self.before_there_is_a_ledger_there_is_no_record()

    def before_there_is_a_ledger_there_is_no_record(self):
        lonely = self.cluster.add("Hanoi Workers' Centre", "VN")
        lonely.start()
        shown = lonely.spean("org", "show")
        self.assertIsNone(shown["agency"])
        self.assertEqual(len(shown["statement"]["admins"]), 1)
        self.refused(lonely.run("org", "edit", "--email", "a@example.org", "--json"), WRONG_STATE)
        self.assertEqual(self.checks(ATTENTION, lonely)["ledger"]["state"], "attention")

    def test_a_change_says_how_it_is_taken_back(self):
        code = self.first.spean("case", "add", "--from", SAMPLES / "case.json")["code"]
        edit = ["case", "edit", code, "--from", "-"]
        high = json.dumps({"set": {"risk_level": "high"}})
        self.assertNotIn("Undo:", self.first.run(*edit, "--dry-run", stdin=high).err)
        self.assertIn(f"Undo: spean case edit {code}", self.first.run(*edit, stdin=high).err)
        self.assertNotIn("Undo:", self.first.run(*edit, stdin=high).err, "nothing was changed")
        self.assertNotIn("Undo:", self.first.run("case", "show", code).err)

        self.status_is_watched()

    def status_is_watched(self):
        follower = Follower(self, self.first, "status", "--watch")
        follower.expect("status", lambda row: not row["locked"])
        self.first.spean("lock")
        follower.expect("lock", lambda row: row["locked"])
        self.assertEqual(follower.interrupt()[0], INTERRUPTED)


if __name__ == "__main__":
    unittest.main()
