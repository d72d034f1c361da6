"""tests/system/story.py - the story of tools/demo.sh, step by step, for tests that need some of it.

Three organisations: Phnom Penh refers a person to Tokyo, and Hanoi must learn nothing of it. The
sample files are those of the demo; every text about the person has MARKER in it.
"""

import json
import pathlib

from cluster import Failed, wait_for

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "tools" / "demo"
LANGUAGES = ("km", "vi", "ja", "en")
MARKER = "LEAKMARKER5736"
NAMES = (("Bridge Legal Aid Phnom Penh", "KH"), ("Hanoi Workers' Centre", "VN"),
         ("Tokyo Migrant Support", "JP"))


class Story:
    def __init__(self, cluster):
        self.cluster = cluster
        self.phnom_penh, self.hanoi, self.tokyo = (cluster.add(*name) for name in NAMES)
        self.nodes = (self.phnom_penh, self.hanoi, self.tokyo)
        self.case = self.consent = self.referral = None
        self.orgs = {}

    def org(self, node):
        """The id of a node's organisation; known from its first call on, also when it is stopped."""
        if node not in self.orgs:
            self.orgs[node] = node.status()["org"]
        return self.orgs[node]

    def form(self, erasure_delay=None):
        self.cluster.form_ledger(*self.nodes, erasure_delay=erasure_delay)
        self.cluster.in_step(*self.nodes)

    def import_agencies(self):
        """Import the four samples at Phnom Penh; return the answers."""
        return [self.phnom_penh.spean("agency", "import", SAMPLES / f"agencies-{lang}.json",
                                      "--lang", lang) for lang in LANGUAGES]

    def open_case(self):
        case = self.phnom_penh.spean("case", "add", "--from", SAMPLES / "case.json")
        self.case = case["code"]
        return case

    def give_consent(self, *recipients):
        """Record the consent of the samples, for these nodes alone."""
        to = [word for node in recipients for word in ("--to", self.org(node))]
        consent = self.phnom_penh.spean("consent", "record", "--case", self.case, "--from",
                                        SAMPLES / "consent.json", *to)
        self.consent = consent["id"]
        return consent

    def draft(self, target, *flags):
        referral = self.phnom_penh.spean(
            "referral", "create", "--from", SAMPLES / "referral.json", "--case", self.case, "--to",
            self.org(target), "--consent", self.consent, "--respond-by", "72h", *flags)
        self.referral = referral["id"]
        return referral

    def send(self):
        return self.phnom_penh.spean("referral", "send", self.referral)

    def prepare(self, *flags, recipients=None):
        """Everything up to a referral that was sent to Tokyo, under a consent for recipients."""
        self.open_case()
        self.give_consent(*(recipients or [self.tokyo]))
        self.draft(self.tokyo, *flags)
        return self.send()

    def step(self, node, name, *flags, **options):
        return node.spean("referral", name, self.referral, *flags, **options)

    def seen(self, node):
        """The referral as node sees it; None: it does not."""
        answer = node.run("referral", "show", self.referral, "--json")
        if answer.exit == 5:
            return None
        if answer.exit != 0:
            raise Failed(repr(answer))
        return answer.json

    def wait_state(self, node, state):
        """Wait until node sees the referral in this state, and return it."""
        def arrived():
            seen = self.seen(node)
            return seen if seen is not None and seen["state"] == state else None
        return wait_for(arrived, f"{node.org_name} sees {state}")

    def payload(self, node):
        """What node can read of the payload; empty before it was given the key."""
        fields = self.seen(node)["fields"]
        return {name: fields[name] for name in ("narrative", "names", "costs") if name in fields}

    def accept(self):
        return self.step(self.tokyo, "accept", "--assigned", "worker-3", "--first-contact-by",
                         "2035-11-25")

    def entries(self, node):
        """(log, seq) and row of every entry of Phnom Penh and Tokyo, as node has them."""
        found = {}
        for log in node.items("/v1/logs"):
            for entry in node.items(f"/v1/logs/{log['id']}/entries"):
                found[log["id"], entry["seq"]] = entry
        return found

    def granted(self, node):
        """How many grants of keys node has written."""
        own = next(log["id"] for log in node.items("/v1/logs") if log["self"])
        return sum(row["kind"] == "grant" for row in node.items(f"/v1/logs/{own}/entries"))

    def stored(self, node, place):
        """The body of an entry as node keeps it; None: it does not."""
        log, seq = place
        stored = node.api("GET", f"/v1/logs/{log}/entries/{seq}")["stored"]
        return None if stored is None else bytes.fromhex(stored)


def sample(name):
    return json.loads((SAMPLES / name).read_text())
