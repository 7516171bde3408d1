#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/faults.md to the tests that there are.

    scripts/faults.py --build DIR      a line for each thing that is wrong, exit status 1

The tables of the page name, in their last column, tests in backquotes:

    Suite/row      a parameter of a suite of cosim_fault_test or cosim_device_fault_test, on whatever
                   profile, virtqueue or answer of the bus it runs
    Suite.Name     any other GoogleTest

Checked: every row of a table with a column `tests` names one; every test that is named exists in the
build in DIR; and every parameter of these two programs, and every other test of the second one, is
named. Programs of tests that are not built leave the question open: exit status 77.
"""

import argparse
import re
import sys
from pathlib import Path

import conformance

PROGRAMS = ("cosim_fault_test", "cosim_device_fault_test")
PARAMETER = re.compile(r"^(\w+)\.\w+/(\w+)\.\w+/(\w+)$")
PLAIN = re.compile(r"^(\w+)\.([A-Z]\w*\.\w+)$")
# What a row runs on, in front of its name.
WHERE = re.compile(r"^(?:edge10|dc25|dc100)_(?:vq\d+_)?(?:(?:slverr|decerr|late)_)?")
NAMED = re.compile(r"`([A-Z]\w*[/.]\w+)`")


def tests_of(names):
    """Names as the page has them, of all tests of the two programs that it has to name."""
    rows = set()
    for name in (name.partition("  #")[0] for name in names):
        if (match := PARAMETER.match(name)) and match[1] in PROGRAMS:
            rows.add(f"{match[2]}/{WHERE.sub('', match[3])}")
        elif (match := PLAIN.match(name)) and match[1] in PROGRAMS:
            rows.add(match[2])
    return rows


def named_on(text):
    """Pairs of line and test, and the lines of rows that name none."""
    named, bare, column = [], [], False
    for number, line in enumerate(text.splitlines(), 1):
        names = NAMED.findall(line)
        named += [(number, name) for name in names]
        if not line.startswith("|"):
            column = False
        elif line.rstrip(" |").endswith("| tests"):
            column = True
        elif column and not line.startswith("|---") and not NAMED.findall(line.split("|")[-2]):
            bare.append(number)
    return named, bare


def check(text, names):
    """What is wrong, as texts."""
    rows = tests_of(names)
    known = rows | {conformance.gtest_name(name) for name in names}
    named, bare = named_on(text)
    problems = [f"faults.md:{number}: the row names no test" for number in bare]
    problems += [f"faults.md:{number}: no test {name}" for number, name in named
                 if name not in known]
    there = {name for _, name in named}
    problems += [f"faults.md: {row} is in no row" for row in sorted(rows - there)]
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="a build of the project")
    names = conformance.ctest_names(parser.parse_args().build)
    if missing := [n for n in names if n.endswith(conformance.NOT_BUILT)]:
        print(f"{len(missing)} programs of tests are not built: nothing is said")
        return conformance.SKIPPED
    problems = check((conformance.ROOT / "docs/faults.md").read_text(encoding="utf-8"), names)
    print("\n".join(problems) or "docs/faults.md and the tests agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
