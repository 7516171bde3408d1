#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says how much of the RTL a run exercised: of every module the lines (branches) that ran and the bits
that went up and down, from the files that a build with NICROSCOPE_COVERAGE wrote.

  coverage.py DIRECTORY     prints a table; writes DIRECTORY/rtl.json with the same and what was missed
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

FIELD = re.compile("\x01([a-z]+)\x02([^\x01']*)")


def read_points(directory):
    """{(file, kind, line, what): count}, summed over instances and runs."""
    points = defaultdict(int)
    files = sorted(directory.glob("*.dat"))
    if not files:
        sys.exit(f"coverage.py: no .dat files in {directory}")
    for file in files:
        for line in file.read_text(encoding="latin-1").splitlines():
            if not line.startswith("C '"):
                continue
            key, _, count = line.rpartition(" ")
            fields = dict(FIELD.findall(key))
            kind = fields.get("page", "").split("/")[0]
            if kind not in ("v_line", "v_branch", "v_toggle"):
                continue
            kind = "toggle" if kind == "v_toggle" else "line"
            points[fields["f"], kind, int(fields["l"]), fields.get("o", "")] += int(count)
    return points


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = Path(sys.argv[1])
    modules = defaultdict(lambda: {"line": [0, 0], "toggle": [0, 0], "missed_lines": set()})
    for (file, kind, line, _), count in read_points(directory).items():
        module = modules[Path(file).stem]
        module[kind][1] += 1
        if count:
            module[kind][0] += 1
        elif kind == "line":
            module["missed_lines"].add(line)
    out, total = {}, {"line": [0, 0], "toggle": [0, 0]}
    print(f"{'module':<22} {'lines':>13} {'':>6} {'toggles':>15} {'':>6}")

    def row(name, numbers):
        cells = []
        for kind, width in (("line", 13), ("toggle", 15)):
            met, of = numbers[kind]
            share = f"{100 * met / of:.1f} %" if of else "-"
            cells.append(f"{met} / {of}".rjust(width) + f" {share:>8}")
        print(f"{name:<22} " + " ".join(cells))

    for name in sorted(modules):
        module = modules[name]
        row(name, module)
        for kind in total:
            total[kind] = [a + b for a, b in zip(total[kind], module[kind])]
        out[name] = {"lines": module["line"], "toggles": module["toggle"],
                     "missed_lines": sorted(module["missed_lines"])}
    row("all", total)
    (directory / "rtl.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
