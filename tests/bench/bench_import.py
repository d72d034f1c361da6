"""tests/bench/bench_import.py [--rows N] [--dir DIR] [--json] - one import of many cases.

A file of N rows (50,000 unless said otherwise) with the column names of HTCDS, with names in Khmer,
Vietnamese and Latin letters, goes through `spean case import` into a node that has a ledger to
itself: read, sealed, signed, durable and folded. Then the same file once more, which changes
nothing. Memory is what each process holds for itself (RssAnon), looked at every 50 ms: the store's
mapped pages are not in it.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from cluster import SPEAN, Cluster, wait_for  # noqa: E402

PAUSE_S = 0.05
NAMES = (("Sokha", "Chan"), ("សុខា", "ចាន់"), ("Thị Hoà", "Nguyễn"), ("Dara", "Sok"))
COLUMNS = ("Number", "prs_FirstName", "prs_SecondName", "prs_Birthdate", "prs_Gender",
           "prs_Citizenship", "prs_MobilePhone", "vic_MethodsOfControl", "cas_Status",
           "hte_Description")
STORY = ("The agency asked for more than was agreed and kept the passport; "
         "wages of three months were not paid. ") * 2


def rows_write(path, count):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i in range(count):
            given, family = NAMES[i % len(NAMES)]
            writer.writerow((i, given, family, f"{1980 + i % 25}-{1 + i % 12:02}-{1 + i % 28:02}",
                             ("Feminine", "Masculine")[i % 2], ("KH", "VN")[i % 2],
                             f"+855 12 {i:06}", "DebtBondage;TakesEarnings", "Active",
                             f"{STORY} {i}"))


class Peak:
    """The most anonymous memory of a process, in MiB."""

    def __init__(self, pid):
        self.path = pathlib.Path(f"/proc/{pid}/status")
        self.mib = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(PAUSE_S):
            try:
                text = self.path.read_text()
            except OSError:
                return
            lines = [line for line in text.splitlines() if line.startswith("RssAnon")]
            self.mib = max([self.mib, *(int(line.split()[1]) / 1024 for line in lines)])

    def end(self):
        self.ended.set()
        self.thread.join()
        return round(self.mib, 1)


def run(node, path, number):
    """Import the file once; return what it took."""
    words = [SPEAN, "case", "import", path, "--id-column", "Number", "--source", "bench", "--lang",
             "en", "--home", node.home, "--json"]
    began = time.monotonic()
    with subprocess.Popen(words, env=node.environment, stdout=subprocess.PIPE) as tool:
        peaks = Peak(tool.pid), Peak(node.process.pid)
        told = json.loads(tool.stdout.read())
        code = tool.wait()
    wait_for(lambda: node.status()["folded"], "all is folded")
    seconds = time.monotonic() - began
    tool_mib, node_mib = (peak.end() for peak in peaks)
    if code != 0 or told["failed"] != 0:
        sys.exit(f"the import failed: {told}")
    return {"run": number, "seconds": round(seconds, 2), "rows_per_s": round(told["rows"] / seconds),
            "created": told["created"], "unchanged": told["unchanged"],
            "tool_mib": tool_mib, "node_mib": node_mib}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=50000)
    parser.add_argument("--dir")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.dir is not None:
        os.environ["TMPDIR"] = options.dir
    with Cluster() as cluster:
        node = cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        node.start()
        node.spean("ledger", "found", "--name", "Bench", *node.admin())
        path = node.folder / "rows.csv"
        rows_write(path, options.rows)
        load = os.getloadavg()[0]
        results = [run(node, path, number) for number in (1, 2)]
        store = sum(file.stat().st_blocks * 512 for file in node.home.rglob("*") if file.is_file())
        node.stop()
    if (results[0]["created"], results[1]["unchanged"]) != (options.rows, options.rows):
        sys.exit(f"not every row arrived, or something changed: {results}")
    report = {"rows": options.rows, "load": round(load, 1), "store_mib": store >> 20,
              "runs": results}
    print(json.dumps(report) if options.json else json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
