"""tests/system/leaves.py - an example of every command of `spean`, for test_leaves.py.

ROWS are run in their order, in one ledger of two organisations and a newcomer, each with --json.
A command that is new needs a row here, or a line in ELSEWHERE that names the system test which
runs it with --json; a unit test says so at once. A row is

    Row("agency show", "pp", lambda s: [s.kept["agency"]])

the command, whose node runs it ("pp", Phnom Penh; "tk", Tokyo; "guest", who is not yet in), its
arguments and flags, and where it helps exits= (the codes that are right), keep= (a name for the
object that it prints, in s.kept), before= (what to do or wait for first), stdin= (text).
"""

import json

from cluster import wait_for
from story import SAMPLES

DONE, ATTENTION = 0, 3

# command: the system test that runs it with --json, by its words '"node", "invite"'.
ELSEWHERE = {
    "agency export": "test_inout.py",
    "case export": "test_inout.py",
    "case import": "test_inout.py",
    "export": "test_inout.py",
    "log export": "test_watching.py",
    "node approve": "test_nodes.py",
    "node join": "test_nodes.py",
    "node list": "test_nodes.py",
    "node refuse": "test_nodes.py",
    "node rename": "test_nodes.py",
    "node retire": "test_nodes.py",
    "referral redirect": "test_referrals.py",
}


class Row:
    def __init__(self, path, node, words=None, exits=(DONE,), keep=None, before=None, stdin=None):
        self.path = path
        self.node = node
        self.words = words or (lambda scene: [])
        self.exits = exits
        self.keep = keep
        self.before = before
        self.stdin = stdin


class Scene:
    """Three nodes and what was printed about them so far."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.pp = cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        self.tk = cluster.add("Tokyo Migrant Support", "JP")
        self.guest = cluster.add("Hanoi Workers' Centre", "VN", init=False)
        self.kept = {}
        self.pp.start()
        self.tk.start()

    def org(self, node):
        return node.status()["org"]

    def init_words(self):
        guest = self.guest
        answers = guest.write("answers", f"recovery.words: @{guest.folder / 'sheet'}\n".encode())
        return ["--org", guest.org_name, "--country", guest.country, "--credential",
                guest.credential, "--sheet", guest.folder / "sheet", "--answers", answers,
                *guest.admin()]

    def join_words(self, node):
        code = node.write("invitation", self.kept["invitation"]["code"].encode())
        return ["--file", code, "--wait", "0", *node.admin()]

    def newcomer(self):
        """Wait until somebody knocks, and say who."""
        rows = wait_for(lambda: self.pp.api("GET", "/v1/pending")["items"], "a newcomer knocks")
        return rows[0]

    def membership(self):
        wait_for(lambda: self.tk.api("GET", "/v1/join")["state"] == "member", "membership")
        self.cluster.in_step(self.pp, self.tk)

    def create_words(self):
        return ["--from", SAMPLES / "referral.json", "--case", self.kept["case"]["code"], "--to",
                self.org(self.tk), "--consent", self.kept["consent"]["id"], "--respond-by", "72h"]

    def their_log(self):
        return [next(log["id"] for log in self.kept["logs"]["items"] if not log["self"])]

    def state(self, node, state):
        """Return what waits until node sees the referral at hand in this state."""
        def wait():
            path = "/v1/referrals/" + self.referral()[0]
            def arrived():
                status, answer = node.api("GET", path, expect=None)
                return status == 200 and answer["state"] == state
            wait_for(arrived, f"{node.org_name} sees {state}")
        return wait

    def referral(self, *flags):
        return [self.kept["referral"]["id"], *flags]

    def note(self):
        return "@" + str(self.tk.write("note", b"They were heard."))


def sent(scene):
    scene.state(scene.tk, "sent")()


def step(name, node, *flags, **options):
    return Row("referral " + name, node, lambda s: s.referral(*flags), **options)


def another():
    """One more referral, sent."""
    return [Row("referral create", "pp", Scene.create_words, keep="referral"),
            step("send", "pp")]


ROWS = [
    Row("version", "pp"),
    Row("help", "pp"),
    Row("init", "guest", Scene.init_words),
    Row("lock", "guest", before=lambda s: s.guest.start()),
    Row("unlock", "guest", lambda s: ["--credential", s.guest.credential]),
    Row("status", "guest", exits=(DONE, ATTENTION)),
    Row("ledger found", "pp", lambda s: ["--name", "Mekong Referral Ledger", *s.pp.admin()]),
    Row("ledger show", "pp"),
    Row("member invite", "pp", keep="invitation"),
    Row("member join", "tk", lambda s: s.join_words(s.tk), exits=(ATTENTION,)),
    Row("member pending", "pp", before=Scene.newcomer, exits=(DONE, ATTENTION)),
    Row("member approve", "pp", lambda s: [s.newcomer()["org"], "--digits", s.newcomer()["digits"],
                                           *s.pp.admin()]),
    Row("member list", "pp", before=Scene.membership),
    Row("member show", "pp", lambda s: [s.org(s.tk)]),
    Row("member relay add", "pp", lambda s: [s.org(s.tk), *s.pp.admin()]),
    Row("member relay remove", "pp", lambda s: [s.org(s.tk), *s.pp.admin()]),
    Row("member invite", "pp", keep="invitation"),
    Row("member join", "guest", lambda s: s.join_words(s.guest), exits=(ATTENTION,)),
    Row("member refuse", "pp", lambda s: [s.newcomer()["org"]]),
    Row("member invite", "pp", keep="invitation"),
    Row("member invitations", "pp"),
    Row("member uninvite", "pp", lambda s: [s.kept["invitation"]["number"]]),
    Row("node invite", "pp", keep="invitation"),
    Row("node invitations", "pp"),
    Row("node uninvite", "pp", lambda s: [s.kept["invitation"]["number"]]),
    Row("person add", "pp", lambda s: ["sokha", "--role", "case_worker", "--user", "4242"]),
    Row("person list", "pp"),
    Row("person retire", "pp", lambda s: ["sokha"]),
    Row("agency import", "pp", lambda s: [SAMPLES / "agencies-km.json", "--lang", "km"]),
    Row("agency add", "pp", lambda s: ["--name", "en=Example Shelter", "--country", "JP"],
        keep="agency"),
    Row("agency list", "pp"),
    Row("agency show", "pp", lambda s: [s.kept["agency"]["id"]]),
    Row("agency edit", "pp", lambda s: [s.kept["agency"]["id"], "--email", "help@example.org"]),
    Row("case add", "pp", lambda s: ["--from", SAMPLES / "case.json"], keep="case"),
    Row("case list", "pp"),
    Row("case find", "pp", lambda s: ["--name", "-", "--status", "active"], stdin="nguyen hoa\n"),
    Row("case show", "pp", lambda s: [s.kept["case"]["code"]]),
    Row("case history", "pp", lambda s: [s.kept["case"]["code"]]),
    Row("case edit", "pp", lambda s: [s.kept["case"]["code"], "--from", "-"],
        stdin=json.dumps({"set": {"risk_level": "high"}})),
    Row("case retain", "pp", lambda s: [s.kept["case"]["code"], "--delete-by", "2099"]),
    Row("case close", "pp", lambda s: [s.kept["case"]["code"], "--reason", "goal_reached"]),
    Row("case reopen", "pp", lambda s: [s.kept["case"]["code"]]),
    Row("consent record", "pp", lambda s: ["--case", s.kept["case"]["code"], "--from",
                                           SAMPLES / "consent.json", "--to", s.org(s.tk)],
        keep="consent"),
    Row("consent show", "pp", lambda s: [s.kept["consent"]["id"]]),
    Row("referral create", "pp", Scene.create_words, keep="referral"),
    step("preview", "pp"),
    step("send", "pp"),
    step("amend", "pp", "--respond-by", "96h"),
    Row("referral inbox", "tk", before=sent),
    Row("referral outbox", "pp"),
    Row("referral list", "pp"),
    step("show", "pp"),
    step("receive", "tk"),
    step("accept", "tk", "--assigned", "worker-3", "--first-contact-by", "2035-11-25"),
    step("start", "tk"),
    step("hold", "tk", "--reason", "awaiting_documents", "--review-by", "2035-12-01"),
    step("start", "tk"),
    Row("referral note", "tk", lambda s: s.referral("--text", s.note(), "--lang", "en")),
    step("complete", "tk", "--outcome", "remedy_obtained", "--service", "fee_refund"),
    step("close", "pp", "--client-informed", "yes", "--next-step", "none",
         before=lambda s: s.state(s.pp, "completed")()),
    *another(),
    step("decline", "tk", "--reason", "no_capacity", before=sent),
    *another(),
    step("accept", "tk", "--assigned", "worker-3", "--first-contact-by", "2035-11-25",
         before=sent),
    step("start", "tk"),
    step("fail", "tk", "--reason", "no_contact"),
    *another(),
    step("receive", "tk", before=sent),
    step("cancel", "pp", "--reason", "client_request",
         before=lambda s: s.state(s.pp, "received")()),
    step("ack-cancel", "tk", "--data-purged", "yes",
         before=lambda s: s.state(s.tk, "cancelled")()),
    *another(),
    step("error", "pp", "--reason", "wrong_target", before=sent),
    Row("consent withdraw", "pp", lambda s: [s.kept["consent"]["id"], "--channel", "phone",
                                             "--yes"]),
    Row("code list", "pp", lambda s: ["scheme"]),
    Row("code add", "pp", lambda s: ["scheme", "esd_1", "--label", "en=ESD (i)", "--publish"]),
    Row("code add", "tk", lambda s: ["scheme", "tk:esd", "--label", "en=ESD"]),
    Row("code unmapped", "tk"),
    Row("code map", "tk", lambda s: ["scheme", "tk:esd", "--to", "esd"]),
    Row("sync plan", "pp"),
    Row("sync now", "pp", exits=(DONE, ATTENTION)),
    Row("log list", "pp", keep="logs"),
    Row("log show", "pp", lambda s: [s.kept["logs"]["items"][0]["id"]]),
    Row("log pause", "pp", Scene.their_log),
    Row("log resume", "pp", Scene.their_log),
    Row("sync pause", "pp"),
    Row("sync resume", "pp"),
    Row("log follow", "pp", lambda s: [s.kept["logs"]["items"][0]["id"], "--after", "0", "--count",
                                       "2"]),
    Row("events", "pp"),
    Row("doctor", "pp", exits=(DONE, ATTENTION)),
    Row("metrics", "pp"),
    Row("org show", "pp"),
    Row("org edit", "pp", lambda s: ["--website", "https://example.org"]),
    Row("verify", "pp"),
]
