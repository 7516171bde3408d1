#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Knows which RTL files a module needs, and runs Verilator on them.

  rtl.py files TOP...             the files below TOP, packages first
  rtl.py verilate --top TOP --prefix P --directory D [--extra FILE]... [-- verilator options]

A module, a package and its file have the same name, so a file's needs are the known names among its
words. `verilate` leaves in D two C++ files that include all that Verilator wrote: P_fast.cpp (what
runs each cycle) and P_slow.cpp (construction, tracing's set-up), and P.d, a depfile. That way a
build knows its outputs before Verilator has run, and each part can have its own optimisation.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORD = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def known_files(extra):
    files = {}
    for path in sorted((ROOT / "rtl").rglob("*.sv")) + [Path(e).resolve() for e in extra]:
        if files.setdefault(path.stem, path) != path:
            sys.exit(f"rtl.py: two files for {path.stem}: {files[path.stem]} and {path}")
    return files


def needed_files(tops, extra=()):
    """The files that `tops` need: packages first, then by path."""
    known = known_files(extra)
    found, open_names = {}, list(tops)
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        if name not in known:
            sys.exit(f"rtl.py: no file {name}.sv below rtl/")
        found[name] = known[name]
        text = COMMENT.sub(" ", known[name].read_text(encoding="utf-8"))
        open_names += [word for word in set(WORD.findall(text)) if word in known]
    return sorted(found.values(), key=lambda path: (not path.stem.endswith("_pkg"), str(path)))


def verilate(args, options):
    files = needed_files([args.top], args.extra)
    directory = Path(args.directory)
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"{args.prefix}*"):
        old.unlink()
    waivers = ROOT / "lint/verilator.vlt"
    command = ["verilator", "--cc", "-sv", "-Wall", "--no-timing", "--top-module", args.top,
               "--prefix", args.prefix, "--Mdir", str(directory), *options, str(waivers),
               *map(str, files)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    parts = {"fast": [], "slow": []}
    for path in sorted(directory.glob(f"{args.prefix}*.cpp")):
        slow = "__Slow" in path.stem or path.stem.endswith("__Syms")
        parts["slow" if slow else "fast"].append(path.name)
    for part, names in parts.items():
        text = "".join(f'#include "{name}"\n' for name in names)
        (directory / f"{args.prefix}_{part}.cpp").write_text(text, encoding="utf-8")
    needs = " ".join(map(str, [waivers, Path(__file__).resolve(), *files]))
    target = directory / f"{args.prefix}_fast.cpp"
    (directory / f"{args.prefix}.d").write_text(f"{target}: {needs}\n", encoding="utf-8")


def main():
    own, options = sys.argv[1:], []
    if "--" in own:
        own, options = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    files = commands.add_parser("files", help="print the files that modules need")
    files.add_argument("top", nargs="+")
    model = commands.add_parser("verilate", help="run Verilator on a module")
    model.add_argument("--top", required=True)
    model.add_argument("--prefix", required=True)
    model.add_argument("--directory", required=True)
    model.add_argument("--extra", action="append", default=[], help="a file outside rtl/")
    args = parser.parse_args(own)
    if args.command == "files":
        print("\n".join(str(path.relative_to(ROOT)) for path in needed_files(args.top)))
    else:
        verilate(args, options)


if __name__ == "__main__":
    main()
