"""tools/coverage_table.py - lines by folder from what gcovr --csv writes; for tools/coverage.sh."""

import collections
import csv
import sys

WORST = 10


def share(ran, lines):
    return 100.0 * ran / lines if lines else 100.0


def main():
    folders = collections.defaultdict(lambda: [0, 0, 0])
    files = []
    for row in csv.DictReader(sys.stdin):
        lines, ran = int(row["line_total"]), int(row["line_covered"])
        total = folders[row["filename"].split("/")[0]]
        for at, count in enumerate((1, lines, ran)):
            total[at] += count
        files.append((share(ran, lines), lines - ran, row["filename"]))
    if not files:
        print("coverage: no line of ours ran", file=sys.stderr)
        return 1
    print(f"{'folder':<12}{'files':>7}{'lines':>8}{'ran':>8}{'%':>7}")
    folders["all"] = [sum(column) for column in zip(*folders.values())]
    for name, (count, lines, ran) in folders.items():
        print(f"{name:<12}{count:>7}{lines:>8}{ran:>8}{share(ran, lines):>7.1f}")
    print(f"\n{'not run':>7}{'%':>7}  file")
    for percent, missed, name in sorted(files)[:WORST]:
        print(f"{missed:>7}{percent:>7.1f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
