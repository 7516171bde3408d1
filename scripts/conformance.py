#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/conformance.md to what there is.

    scripts/conformance.py --build DIR      check; a line for each thing that is wrong, exit status 1
    scripts/conformance.py --build DIR --update
                                            write the counts into the summary, then check

The pages in docs/conformance have tables of four columns: id, level, requirement, shown by. The last
one names tests in backquotes, or begins with `n/a:` (does not apply, and why) or `open:` (not met, and
why), where tests may be named too. A test is

    Suite.Name         a GoogleTest, whatever program it is in and whatever parameters it has
    cli.faults         a test of CTest
    formal:rx/rx_plan  a cell that tests/formal proves

Checked: every named test exists in the build in DIR (`ctest --show-only`) or in the lists of
tests/formal; every row has one or a reason; ids are D- or R-, section, number, unique and in a row;
the summary's counts are right. Programs of tests that are not built leave the question open: exit
status 77.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT")
SKIPPED = 77  # CTest: SKIP_RETURN_CODE
PROOF_LISTS = ("proofs.txt", "idle.txt")

ROW = re.compile(r"^\| *([DR]-\S*) *\|")
ID = re.compile(r"^([DR])-(\d+(?:\.\d+)*)-(\d+)$")
NAMED = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"^[A-Z]\w*\.\w+$")
CTEST = re.compile(r"^[a-z]\w*(\.\w+)*$")
FORMAL = re.compile(r"^formal:(\S+)$")
SUMMARY = re.compile(r"^\| \[([^\]]+)\]\((conformance/\w+\.md)\) \|")
TOTAL = re.compile(r"^\| all \|")
NOT_BUILT = "_NOT_BUILT"


def ctest_names(build):
    """Names of all tests of CTest; those of programs that are not built end in _NOT_BUILT."""
    done = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, capture_output=True,
                          text=True, check=True)
    return [test["name"] for test in json.loads(done.stdout)["tests"]]


def gtest_name(name):
    """Suite.Name of `program.Instance/Suite.Name/parameter`; None where it has no such form."""
    match = re.match(r"^\w+\.(?:\w+/)?([A-Z]\w*\.\w+)(?:/.*)?$", name)
    return match and match[1]


def proofs(folder):
    """Cells that the lists of tests/formal name."""
    text = "".join((folder / name).read_text(encoding="utf-8") for name in PROOF_LISTS)
    return set(re.findall(r"^([^#\s@]+)", text, re.M))


class Tests:
    """What a row can name."""

    def __init__(self, names, proved):
        self.names = set(names)
        self.gtests = {gtest_name(name) for name in names} - {None}
        self.proved = proved
        self.not_built = sorted(n for n in names if n.endswith(NOT_BUILT))

    def find(self, name):
        """An empty text, or what is wrong with the name."""
        if formal := FORMAL.match(name):
            return "" if formal[1] in self.proved else f"no proof of {formal[1]} in tests/formal"
        if GTEST.match(name):
            return "" if name in self.gtests else f"no test {name}"
        if CTEST.match(name):
            return "" if name in self.names else f"no test {name}"
        return f"{name} is no name of a test"


class Counts:
    """Rows of a page."""

    COLUMNS = ("rows", "must", "should", "shown", "n/a", "open")

    def __init__(self):
        self.values = dict.fromkeys(self.COLUMNS, 0)

    def add(self, level, kind):
        self.values["rows"] += 1
        self.values["must" if level.startswith("MUST") else "should"] += 1
        self.values[kind] += 1

    def merge(self, other):
        for column in self.COLUMNS:
            self.values[column] += other.values[column]

    def cells(self):
        return " | ".join(str(self.values[column]) for column in self.COLUMNS)


def check_page(path, tests, counts, seen):
    """Problems of one page, as texts; its rows into `counts`, its ids into `seen`."""
    problems = []
    section, last = "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not (row := ROW.match(line)):
            continue
        place = f"{path.name}:{number}: {row[1]}"
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 4 or not all(cells):
            problems.append(f"{place}: four columns with something in each are wanted")
            continue
        identity, level, _, shown = cells
        parts = ID.match(identity)
        if not parts:
            problems.append(f"{place}: an id is D- or R-, section, number")
            continue
        if identity in seen:
            problems.append(f"{place}: is there already, in {seen[identity]}")
        seen[identity] = f"{path.name}:{number}"
        here = f"{parts[1]}-{parts[2]}"
        last = last + 1 if here == section else 1
        section = here
        if int(parts[3]) != last:
            problems.append(f"{place}: number {last} is next")
            last = int(parts[3])
        if level not in LEVELS:
            problems.append(f"{place}: {level} is no level")
        kind = next((k for k in ("n/a", "open") if shown.startswith(f"{k}:")), "shown")
        reason = shown.partition(":")[2].strip() if kind != "shown" else ""
        names = NAMED.findall(shown)
        if kind == "shown" and not names:
            problems.append(f"{place}: neither a test nor a reason")
        if kind != "shown" and not NAMED.sub("", reason).strip():
            problems.append(f"{place}: {kind} without a reason")
        problems += [f"{place}: {wrong}" for name in names if (wrong := tests.find(name))]
        counts.add(level, kind)
    if not counts.values["rows"]:
        problems.append(f"{path.name}: no rows")
    return problems


def check(index, tests, update=False):
    """Problems of the index and its pages, as texts. With `update` the summary is made right."""
    pages = sorted((index.parent / "conformance").glob("*.md"))
    seen, total, problems, expected = {}, Counts(), [], {}
    for page in pages:
        counts = Counts()
        problems += check_page(page, tests, counts, seen)
        total.merge(counts)
        expected[f"conformance/{page.name}"] = counts
    lines = index.read_text(encoding="utf-8").splitlines()
    listed = set()
    for number, line in enumerate(lines):
        if summary := SUMMARY.match(line):
            listed.add(summary[2])
            if summary[2] not in expected:
                problems.append(f"{index.name}:{number + 1}: no page {summary[2]}")
                continue
            want = f"| [{summary[1]}]({summary[2]}) | {expected[summary[2]].cells()} |"
        elif TOTAL.match(line):
            listed.add("all")
            want = f"| all | {total.cells()} |"
        else:
            continue
        if line != want:
            if update:
                lines[number] = want
            else:
                problems.append(f"{index.name}:{number + 1}: the counts are {want}")
    for page in sorted(set(expected) | {"all"}):
        if page not in listed:
            problems.append(f"{index.name}: no line for {page} in the summary")
    if update:
        index.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="a build of the project")
    parser.add_argument("--update", action="store_true", help="write the counts first")
    arguments = parser.parse_args()
    tests = Tests(ctest_names(arguments.build), proofs(ROOT / "tests/formal"))
    problems = check(ROOT / "docs/conformance.md", tests, arguments.update)
    for problem in problems:
        print(problem)
    missing = [p for p in problems if ": no test " in p]
    if tests.not_built and len(missing) == len(problems):
        print(f"{len(tests.not_built)} programs of tests are not built: nothing is said of "
              f"{len(missing)} names that may be theirs")
        return SKIPPED
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
