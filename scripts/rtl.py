#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Knows which RTL files a module needs, and runs Verilator on them.

  rtl.py files TOP...             the files below TOP, packages first
  rtl.py verilate --top TOP --prefix P --directory D [--extra FILE]... [--step]
                  [-- verilator options]

A module, a package and its file have the same name, so a file's needs are the known names among its
words. `verilate` leaves in D two C++ files that include all that Verilator wrote: P_fast.cpp (what
runs each cycle) and P_slow.cpp (construction, tracing's set-up), and P.d, a depfile. That way a
build knows its outputs before Verilator has run, and each part can have its own optimisation.

--step adds P_step.h: `void verilated_step(P& model)` is one cycle of clk_i up to and with its rising
edge, and leaves out what eval() does for any model and this one never needs (docs/simulator.md,
"One cycle"). It looks into what Verilator 5.006 writes. Where that is not found as expected (another
release), the step is two calls of eval(), as for any model: slower, and the same otherwise.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import model_later
import model_statements

ROOT = Path(__file__).resolve().parent.parent
WAIVERS = ROOT / "lint/verilator.vlt"
WORD = re.compile(r"[A-Za-z_]\w*")
PIECE = re.compile(r"(?=\nVL_INLINE_OPT void \w+\()|(?=\nvoid \w+\()")  # functions of a model
NARROW = re.compile(r"^( +)(?=(?:CData|SData)/\*|VL_(?:IN|OUT)(?:8|16)\()", re.MULTILINE)  # a model's members
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


def run_verilator(args, options, files):
    directory = Path(args.directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"{args.prefix}*"):
        old.unlink()
    # Assertions and coverage name their file: by its place in the project, whoever's copy that is.
    names = [str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path) for path in files]
    command = ["verilator", "--cc", "-sv", "-Wall", "--no-timing", "--top-module", args.top,
               "--prefix", args.prefix, "--Mdir", str(directory), *options, str(WAIVERS), *names]
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)
    return directory


def fast_step(prefix, directory):
    """The text of verilated_step() for the model, or None if it is not as expected."""
    root = f"{prefix}___024root"
    text = "".join(path.read_text(encoding="utf-8")
                   for path in sorted(directory.glob(f"{root}__*.cpp")) if "Slow" not in path.stem)
    body = re.search(r"\nvoid " + root + r"___eval_triggers__act\([^;]*?\{.*?// Body\n(.*?)\n#ifdef", text,
                     re.DOTALL)
    idle = re.search(root + r"___eval_act\\n\"\); \);(\s*// Body)?\n\}", text)
    if not (body and idle and f"void {root}___eval_ico(" in text and f"void {root}___eval_nba(" in text):
        return None
    # Every trigger is a rising edge of clk_i or of a gated clock, and nothing else is left to do.
    body = re.sub(r"\s+", " ", body[1])
    edge = re.compile(r"vlSelf->__VactTriggered\.at\((\w+)U\) = \(\(IData\)\(vlSelf->(\w+)\) "
                      r"& \(~ \(IData\)\(vlSelf->__Vtrigrprev__TOP__\2\)\)\);")
    kept = re.compile(r"vlSelf->__Vtrigrprev__TOP__(\w+) = vlSelf->\1;")
    clocks = [(int(number, 16), clock) for number, clock in edge.findall(body)]
    if kept.sub("", edge.sub("", body)).strip() or [n for n, _ in clocks] != list(range(len(clocks))):
        return None
    gated = [clock for _, clock in clocks if clock != "clk_i"]
    inputs = "".join(piece for piece in PIECE.split(text) if "___ico_" in piece[:200])
    if any(f"vlSelf->{clock} " not in inputs and f"vlSelf->{clock}\n" not in inputs for clock in gated):
        return None
    triggers = " | ".join(f"(IData)(root.{clock}) << {n}U" for n, clock in clocks)
    return (f"\nvoid verilated_step({prefix}& model) {{\n  {root}& root = *model.rootp;\n"
            f"  root.clk_i = 1U;\n  root.__VicoTriggered.at(0U) = true;\n  {root}___eval_ico(&root);\n"
            f"  root.__VnbaTriggered.assign({triggers});\n  {root}___eval_nba(&root);\n}}\n")


def simplify(prefix, directory):
    """Has the model keep its triggers as the bits of a word, not as an array of bool; and has it look at
    gated clocks at the beginning of a step alone, where the logic behind the inputs sets them all."""
    step = fast_step(prefix, directory)
    clocks = re.findall(r"root\.(\w+DOT\w+)\)", step)
    clock = re.compile(r"\n +vlSelf->(" + "|".join(clocks) + r")\s+=[^;]*;")
    for path in [*directory.glob(f"{prefix}*.h"), *directory.glob(f"{prefix}*.cpp")]:
        text = old = path.read_text(encoding="utf-8")
        if clocks and "Slow" not in path.stem:
            text = "".join(clock.sub("", piece) if "___nba_" in piece[:200] else piece
                           for piece in PIECE.split(text))
        text = text.replace("VlTriggerVec<", "nicroscope::sim::TriggerMask<")
        if text != old:
            text = text.replace('#include "verilated.h"\n',
                                '#include "verilated.h"\n#include "sim/nic/trigger_mask.h"\n', 1)
            path.write_text(text, encoding="utf-8")


def spread(prefix, directory):
    """Gives each narrow variable of the model a word of its own."""
    # Thousands of them are written and read within a cycle. Bytes side by side are slower at that, by as
    # much as three times: a read seems to wait for any recent write to its word (docs/performance.md).
    header = directory / f"{prefix}___024root.h"
    header.write_text(NARROW.sub(r"\1alignas(4) ", header.read_text(encoding="utf-8")), encoding="utf-8")


class Model:
    """What Verilator wrote for a model, to be changed."""

    def __init__(self, prefix, directory):
        self.prefix, self.root = prefix, f"{prefix}___024root"
        self.texts = {path: path.read_text(encoding="utf-8")
                      for path in sorted(directory.glob(f"{self.root}__*.cpp"))}
        self.read()

    def read(self):
        """Finds the functions of a cycle and their statements."""
        self.places, self.found = {}, {}
        for path, text in self.texts.items():
            if "Slow" not in path.stem:
                for name, statements in model_statements.functions(text).items():
                    self.places[name], self.found[name] = path, statements

    def settled(self):
        """The texts of all statements that settle the logic at the beginning."""
        found = {}
        for text in self.texts.values():
            found.update(model_statements.functions(text.replace("VL_ATTR_COLD void", "void")))
        return {s.text for name, statements in found.items() if "___stl_" in name for s in statements}

    def take_out(self, statements):
        for gone in sorted(statements, key=lambda s: -s.begin):
            path = self.places[gone.function]
            self.texts[path] = self.texts[path][: gone.begin] + self.texts[path][gone.end :]

    def write(self):
        for path, text in self.texts.items():
            path.write_text(text, encoding="utf-8")


def drop_superfluous(model):
    """Takes out of the model what the logic behind the inputs does once more."""
    model.take_out(model_statements.superfluous(model.root, model.found))
    model.read()


def put_off(model, step):
    """Has what can wait run at the beginning of nba, at the edges for which it is needed."""
    ico, nba = model_statements.parts(model.root, model.found)
    clocks = model_later.clocks_of(model.found.get(f"{model.root}___eval_nba", ()))
    if not all(s.function in clocks for s in nba):
        return
    kept = {f"vlSelf->{name}" for name in re.findall(r"root\.(\w+)\)", step)}
    batches = model_later.later(ico, nba, clocks, model.settled(), kept)
    text = model_later.function(model.root, batches, lambda s: model.texts[model.places[s.function]])
    model.take_out([s for _, statements in batches for s in statements])
    head = f"void {model.root}___eval_nba({model.root}* vlSelf) {{\n"
    path = model.places[f"{model.root}___eval_nba"]
    before, mark, after = model.texts[path].partition(head)
    call = f"// Body\n    {model.root}___nba_later(vlSelf);\n"
    model.texts[path] = before + text + mark + after.replace("// Body\n", call, 1)


def verilate(args, options):
    files = needed_files([args.top], args.extra)
    step = None
    if args.step:
        directory = run_verilator(args, ["-DSTEPPED_CLOCK_GATES", *options], files)
        step = fast_step(args.prefix, directory)
    if step:
        simplify(args.prefix, directory)
        model = Model(args.prefix, directory)
        drop_superfluous(model)
        put_off(model, step)
        model.write()
    else:
        directory = run_verilator(args, options, files)
        step = (f"\nvoid verilated_step({args.prefix}& model) {{\n  model.clk_i = 0;\n  model.eval();\n"
                "  model.clk_i = 1;\n  model.eval();\n}\n")
    if args.step:
        spread(args.prefix, directory)
    parts = {"fast": [], "slow": []}
    for path in sorted(directory.glob(f"{args.prefix}*.cpp")):
        slow = "__Slow" in path.stem or path.stem.endswith("__Syms")
        parts["slow" if slow else "fast"].append(path.name)
    for part, names in parts.items():
        text = "".join(f'#include "{name}"\n' for name in names)
        if args.step and part == "fast":
            text += f'#include "{args.prefix}_step.h"\n{step}'
        (directory / f"{args.prefix}_{part}.cpp").write_text(text, encoding="utf-8")
    if args.step:
        (directory / f"{args.prefix}_step.h").write_text(
            f'#pragma once\n#include "{args.prefix}.h"\nvoid verilated_step({args.prefix}& model);\n',
            encoding="utf-8")
    helpers = [Path(module.__file__) for module in (model_later, model_statements) if args.step]
    scripts = [Path(__file__).resolve(), *helpers]
    needs = " ".join(map(str, [WAIVERS, *scripts, *files]))
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
    model.add_argument("--step", action="store_true", help="give it a quick step of its own")
    args = parser.parse_args(own)
    if args.command == "files":
        print("\n".join(str(path.relative_to(ROOT)) for path in needed_files(args.top)))
    else:
        verilate(args, options)


if __name__ == "__main__":
    main()
