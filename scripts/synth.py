#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises the NIC for FPGAs with Yosys and says what it costs.

  synth.py PROFILE... [--top MODULE] [--set PARAMETER=VALUE]... [--no-docs]

Writes build/synth/<profile>.json: lut, ff, bram36, bram18 and depth of the whole, `modules` with the
same of each module (everything below it included), and `ecp5`, the whole on an open tool flow's
family. Without --top, --set and --no-docs it also brings the tables of docs/synthesis.md up to date.

  lut     LUTs as logic, and as memory (each RAM primitive by the LUTs that it takes)
  depth   LUTs in series on the longest way between registers; carry chains and wide multiplexers
          between them are not counted
The whole is flattened; modules are synthesised with their borders kept, so their sum is larger.
"""

import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import rtl

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs/synthesis.md"
# LUTs that one memory primitive takes (AMD UG574, chapter 2).
MEMORY_LUTS = {"RAM32X1S": 1, "RAM32X1D": 2, "RAM64X1S": 1, "RAM64X1D": 2, "RAM128X1D": 4,
               "RAM256X1D": 8, "RAM512X1S": 8, "RAM32M": 4, "RAM64M": 4, "RAM32M16": 8,
               "RAM64M8": 8, "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1}
THROUGH = ("LUT", "CARRY", "MUXF", "INV")  # a way goes on through these


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def profile_parameters(name):
    profiles = tomllib.loads((ROOT / "rtl/profiles.toml").read_text(encoding="utf-8"))
    if name not in profiles:
        sys.exit(f"synth: no profile {name}; there are {', '.join(profiles)}")
    profile = profiles[name]
    return profile["top"], {camel(k): v for k, v in profile.items() if k not in ("top", "text")}


def run_yosys(top, parameters, synthesis):
    """The netlist that `synthesis`, a Yosys command, makes of `top`."""
    files = " ".join(str(path) for path in rtl.needed_files([top]))
    chparam = "".join(f" -set {key} {value}" for key, value in parameters.items())
    with tempfile.TemporaryDirectory() as directory:
        netlist = Path(directory) / "netlist.json"
        script = f"""read_verilog -sv -DSYNTHESIS {files}
            {f'chparam{chparam} {top}' if chparam else ''}
            hierarchy -check -top {top}
            {synthesis} -top {top}
            write_json {netlist}"""
        done = subprocess.run(["yosys", "-Q", "-q", "-p", script], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        return json.loads(netlist.read_text(encoding="utf-8"))["modules"]


def plain_name(name):
    """A module's name without what Yosys put around it for its parameters."""
    return re.sub(r"^\$paramod(\$[0-9a-f]+)?\\", "", name).split("\\")[0].lstrip("\\")


def depth(module):
    """LUTs in series on the longest way through cells without a clock."""
    driver, inputs, weight = {}, {}, {}
    for name, cell in module["cells"].items():
        if not cell["type"].startswith(THROUGH):
            continue
        directions = cell["port_directions"]
        inputs[name] = [bit for port, bits in cell["connections"].items()
                        if directions[port] == "input" for bit in bits if isinstance(bit, int)]
        weight[name] = 1 if cell["type"].startswith("LUT") else 0
        for port, bits in cell["connections"].items():
            if directions[port] == "output":
                driver.update((bit, name) for bit in bits)
    longest = {}
    for root in inputs:
        stack = [root]
        while stack:
            name = stack[-1]
            if name in longest:
                stack.pop()
                continue
            before = {driver[bit] for bit in inputs[name] if bit in driver}
            todo = [b for b in before if b not in longest and b not in stack]
            if todo:
                stack.extend(todo)
                continue
            longest[name] = weight[name] + max((longest.get(b, 0) for b in before), default=0)
            stack.pop()
    return max(longest.values(), default=0)


class Netlist:
    def __init__(self, modules):
        self.modules = modules
        self.costs = {}

    def cost(self, name):
        """Of the module and all below it."""
        if name in self.costs:
            return self.costs[name]
        total = collections.Counter(lut=0, ff=0, bram36=0, bram18=0)
        deepest = depth(self.modules[name])
        for cell in self.modules[name]["cells"].values():
            kind = cell["type"]
            if kind in self.modules and "cells" in self.modules[kind] and \
                    not int(self.modules[kind].get("attributes", {}).get("blackbox", "0"), 2):
                below = dict(self.cost(kind))
                deepest = max(deepest, below.pop("depth"))
                total.update(below)
            elif re.fullmatch(r"LUT[1-6]", kind):
                total["lut"] += 1
            elif kind in MEMORY_LUTS:
                total["lut"] += MEMORY_LUTS[kind]
            elif re.match(r"FD[A-Z]E|LD[A-Z]E", kind):
                total["ff"] += 1
            elif kind.startswith("RAMB36"):
                total["bram36"] += 1
            elif kind.startswith("RAMB18"):
                total["bram18"] += 1
        self.costs[name] = {**total, "depth": deepest}
        return self.costs[name]


def by_module(modules, top):
    """Cost by plain name; a module that is there with different parameters shows its largest."""
    netlist = Netlist(modules)
    netlist.cost(top)
    table, instances = {}, collections.Counter()

    def count(name, times):
        instances[plain_name(name)] += times
        for cell in modules[name]["cells"].values():
            if cell["type"] in netlist.costs:
                count(cell["type"], times)
    count(top, 1)
    for name, cost in netlist.costs.items():
        plain = plain_name(name)
        if plain not in table or cost["lut"] > table[plain]["lut"]:
            table[plain] = {**cost, "instances": instances[plain]}
    return dict(sorted(table.items(), key=lambda row: -row[1]["lut"]))


def ecp5(modules, top):
    kinds = collections.Counter(cell["type"] for cell in modules[top]["cells"].values())
    return {"lut4": kinds["LUT4"] + 2 * kinds["CCU2C"], "ff": kinds["TRELLIS_FF"],
            "dp16kd": kinds["DP16KD"], "dpr16x4": kinds["TRELLIS_DPR16X4"]}


def synthesise(name, top, parameters):
    flat = run_yosys(top, parameters, "synth_xilinx -family xcup -noiopad -flatten")
    report = {"profile": name, "top": top, "family": "xcup", **Netlist(flat).cost(top)}
    kept = run_yosys(top, parameters, "synth_xilinx -family xcup -noiopad")
    report["modules"] = by_module(kept, top)
    report["ecp5"] = ecp5(run_yosys(top, parameters, "synth_ecp5"), top)
    return report


def show(report):
    print(f"{report['profile']}, {report['top']}, UltraScale+ (Yosys synth_xilinx -family xcup): "
          f"{report['lut']} LUT, {report['ff']} FF, {report['bram36']} RAMB36, "
          f"{report['bram18']} RAMB18, {report['depth']} LUTs deep")
    print(f"  {'module':<20} {'count':>5} {'LUT':>7} {'FF':>7} {'RAMB36':>7} {'RAMB18':>7} {'depth':>6}")
    for name, row in report["modules"].items():
        print(f"  {name:<20} {row['instances']:>5} {row['lut']:>7} {row['ff']:>7} "
              f"{row['bram36']:>7} {row['bram18']:>7} {row['depth']:>6}")
    open_flow = report["ecp5"]
    print(f"  ECP5 (synth_ecp5): {open_flow['lut4']} LUT4 (carry included), {open_flow['ff']} FF, "
          f"{open_flow['dp16kd']} DP16KD, {open_flow['dpr16x4']} DPR16X4\n")


def table(report):
    lines = [f"### {report['profile']}", "",
             "| module | instances | LUT | FF | RAMB36 | RAMB18 | depth |", "|---|--:|--:|--:|--:|--:|--:|",
             f"| **whole, flattened** | | **{report['lut']}** | **{report['ff']}** | "
             f"**{report['bram36']}** | **{report['bram18']}** | **{report['depth']}** |"]
    lines += [f"| `{name}` | {row['instances']} | {row['lut']} | {row['ff']} | {row['bram36']} | "
              f"{row['bram18']} | {row['depth']} |" for name, row in report["modules"].items()]
    open_flow = report["ecp5"]
    lines += ["", f"Lattice ECP5 (`synth_ecp5`): {open_flow['lut4']} LUT4 with carry cells as two, "
              f"{open_flow['ff']} FF, {open_flow['dp16kd']} DP16KD, {open_flow['dpr16x4']} DPR16X4."]
    return "\n".join(lines)


def update_docs(reports):
    text = DOCS.read_text(encoding="utf-8")
    for report in reports:
        begin, end = (f"<!-- {edge} {report['profile']} -->" for edge in ("begin", "end"))
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"synth: {DOCS} has no place for {report['profile']}")
        text = pattern.sub(lambda _, r=report: f"{begin}\n{table(r)}\n{end}", text)
    DOCS.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="+")
    parser.add_argument("--top", help="another module than the profile's, for one block's cost")
    parser.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE")
    parser.add_argument("--no-docs", action="store_true")
    args = parser.parse_args()
    changes = dict(item.split("=", 1) for item in args.set)
    directory = ROOT / "build/synth"
    directory.mkdir(parents=True, exist_ok=True)
    reports = []
    for name in args.profiles:
        top, parameters = profile_parameters(name)
        if args.top:
            top, parameters = args.top, {}
        report = synthesise(name, top, {**parameters, **changes})
        show(report)
        reports.append(report)
        if not args.top and not changes:
            (directory / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n",
                                                    encoding="utf-8")
    if not (args.top or changes or args.no_docs):
        update_docs(reports)


if __name__ == "__main__":
    main()
