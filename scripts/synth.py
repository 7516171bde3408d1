#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises the NIC for FPGAs with Yosys and says what it costs.

  synth.py PROFILE... [--part whole|modules|ecp5]... [--top MODULE] [--set PARAMETER=VALUE]... [--no-docs]

PROFILE may have a number of queue pairs of its own: dc100x256. Writes build/synth/<profile>.json: lut,
ff, bram36, bram18 and depth of the whole, `modules` with the same of each module (everything below it
included), and `ecp5`, the whole on an open tool flow's family; with --part the others stay as they
are. Without --top, --set and --no-docs it also brings the tables of docs/synthesis.md up to date.

  lut     LUTs as logic, and as memory: of a RAM primitive those that hold bits which are read, and
          one for the address to write to
  depth   LUTs in series on the longest way between registers; carry chains between them are not
          counted
The whole is flattened; modules are synthesised with their borders kept, so their sum is larger.
Frames carry no tags (TraceTags = 0), and the ports that serve the simulator are open.
"""

import argparse
import collections
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import rtl

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs/synthesis.md"
# Memory primitives made of eight LUTs, DOA to DOH (AMD UG574, chapter 2); the last one has the write
# address.
MEMORIES = ("RAM32M16", "RAM64M8")
SHIFTERS = ("SRL16E", "SRLC16E", "SRLC32E")
# Those of one bit, with one address to read and write: 64 bits a LUT.
SINGLE = re.compile(r"RAM(\d+)X1S(_1)?")
# As synth_xilinx has it, but for the list of memories made of LUTs.
MAP_MEMORY = """memory_libmap -logic-cost-rom 0.015625 -lib LUTRAMS -lib +/xilinx/brams_xc4v.txt \
            -D HAS_SIZE_36 -D HAS_MIXWIDTH_SDP -D HAS_ADDRCE
            techmap -map +/xilinx/lutrams_xc5v_map.v
            techmap -map +/xilinx/brams_xcu_map.v"""
# As synth_xilinx has them, but for abc: there a LUT of any size costs one, as in the count.
MAP_LUTS = """opt_expr -mux_undef -noclkinv
            abc -lut 6
            clean
            techmap -map +/xilinx/ff_map.v
            xilinx_srl -fixed -minlen 3
            techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6
            xilinx_dffopt
            opt_lut_ins -tech xilinx
            clean"""
# What only the simulator connects: left open, as in a design around the NIC.
SIMULATION = ("idle_o", "next_deadline_o", "trace_*_o")
PARTS = ("whole", "modules", "ecp5")
# The most that a profile may take; and by how much a profile may exceed another in LUTs.
AIMS = (("edge10", "lut", 15000), ("dc25", "lut", 22700), ("dc25", "ff", 22000))
QUEUES_AIM = ("dc100x256", "dc100", 1.15)
THROUGH = ("LUT", "CARRY", "INV")  # a way goes on through these


def camel(name):
    return "".join(word.capitalize() for word in name.split("_"))


def profile_parameters(name):
    profiles = tomllib.loads((ROOT / "rtl/profiles.toml").read_text(encoding="utf-8"))
    base, _, pairs = name.partition("x")
    if base not in profiles or (pairs and not pairs.isdecimal()):
        sys.exit(f"synth: no profile {name}; there are {', '.join(profiles)}")
    profile = dict(profiles[base])
    if pairs:
        profile["queue_pairs"] = int(pairs)
    parameters = {camel(k): v for k, v in profile.items() if k not in ("top", "text")}
    return profile["top"], {**parameters, "TraceTags": 0}


def ultrascale(top, flatten):
    flow = f"synth_xilinx -family xcup -noiopad -nowidelut {'-flatten ' if flatten else ''}-top {top}"
    return "\n".join((f"{flow} -run begin:map_memory", MAP_MEMORY, f"{flow} -run map_ffram:map_luts",
                      MAP_LUTS, f"{flow} -run finalize:edif"))


def lutrams():
    """The list of memories made of LUTs. In Yosys 0.23 it gives the one of 512 places 16 address bits,
    and its own mapping does not know that."""
    share = Path(shutil.which("yosys")).resolve().parent.parent / "share/yosys"
    text = (share / "xilinx/lutrams_xcu.txt").read_text(encoding="utf-8")
    return re.sub(r'option "ABITS" 16 {\s*abits 16;', 'option "ABITS" 9 { abits 9;', text)


def run_yosys(top, parameters, synthesis):
    """The netlist that `synthesis`, Yosys commands, makes of `top`."""
    files = " ".join(str(path) for path in rtl.needed_files([top]))
    chparam = "".join(f" -set {key} {value}" for key, value in parameters.items())
    left_open = "\n".join(f"delete -port {top}/w:{port}" for port in SIMULATION
                          if top in ("nic_core", "nic_top"))
    with tempfile.TemporaryDirectory() as directory:
        netlist = Path(directory) / "netlist.json"
        memories = Path(directory) / "lutrams.txt"
        memories.write_text(lutrams(), encoding="utf-8")
        script = f"""read_verilog -sv -DSYNTHESIS {files}
            {f'chparam{chparam} {top}' if chparam else ''}
            hierarchy -check -top {top}
            {left_open}
            {synthesis.replace("LUTRAMS", str(memories))}
            write_json {netlist}"""
        done = subprocess.run(["yosys", "-Q", "-q", "-p", script], check=False,
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        return json.loads(netlist.read_text(encoding="utf-8"))["modules"]


def source_digest(top, parameters):
    """Of all that decides the result: figures of another one do not stand beside today's."""
    digest = hashlib.sha256(repr((top, sorted(parameters.items()))).encode())
    for path in [*rtl.needed_files([top]), Path(__file__)]:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


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


def memory_luts(cell, read):
    """LUTs of a memory primitive, of which the bits in `read` go anywhere."""
    used = {port for port, bits in cell["connections"].items()
            if port.startswith("DO") and any(bit in read for bit in bits)}
    return len(used | {"DOH"}) if used else 0


def read_bits(module):
    """What is an input of a cell, or leaves the module."""
    bits = {bit for port in module["ports"].values() if port["direction"] != "input"
            for bit in port["bits"]}
    for cell in module["cells"].values():
        for port, connected in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                bits.update(connected)
    return bits


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
        read = read_bits(self.modules[name])
        for cell in self.modules[name]["cells"].values():
            kind = cell["type"]
            if kind in self.modules and "cells" in self.modules[kind] and \
                    not int(self.modules[kind].get("attributes", {}).get("blackbox", "0"), 2):
                below = dict(self.cost(kind))
                deepest = max(deepest, below.pop("depth"))
                total.update(below)
            elif re.fullmatch(r"LUT[1-6]", kind):
                total["lut"] += 1
            elif kind in MEMORIES:
                total["lut"] += memory_luts(cell, read)
            elif kind in SHIFTERS:
                total["lut"] += 1
            elif single := SINGLE.fullmatch(kind):
                total["lut"] += -(-int(single[1]) // 64)
            elif kind.startswith(("RAM32", "RAM64", "RAM128", "RAM256", "MUXF")):
                sys.exit(f"synth: {kind} is not counted")
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
    """Of the whole; a module whose border is kept counts as often as it is there."""
    kinds = collections.Counter()

    def count(name):
        for cell in modules[name]["cells"].values():
            kinds[cell["type"]] += 1
            if modules.get(cell["type"], {}).get("cells"):
                count(cell["type"])
    count(top)
    return {"lut4": kinds["LUT4"] + 2 * kinds["CCU2C"], "ff": kinds["TRELLIS_FF"],
            "dp16kd": kinds["DP16KD"], "dpr16x4": kinds["TRELLIS_DPR16X4"]}


def synthesise(name, top, parameters, parts):
    report = {"profile": name, "top": top, "family": "xcup", "source": source_digest(top, parameters)}
    if "whole" in parts:
        report |= Netlist(run_yosys(top, parameters, ultrascale(top, True))).cost(top)
    if "modules" in parts:
        report["modules"] = by_module(run_yosys(top, parameters, ultrascale(top, False)), top)
    if "ecp5" in parts:
        report["ecp5"] = ecp5(run_yosys(top, parameters, f"synth_ecp5 -top {top}"), top)
    return report


def show(report):
    print(f"{report['profile']}, {report['top']}, UltraScale+ (Yosys synth_xilinx -family xcup)")
    if "lut" in report:
        print(f"  {report['lut']} LUT, {report['ff']} FF, {report['bram36']} RAMB36, "
              f"{report['bram18']} RAMB18, {report['depth']} LUTs deep")
    if "modules" in report:
        print(f"  {'module':<20} {'count':>5} {'LUT':>7} {'FF':>7} {'RAMB36':>7} {'RAMB18':>7} "
              f"{'depth':>6}")
        for name, row in report["modules"].items():
            print(f"  {name:<20} {row['instances']:>5} {row['lut']:>7} {row['ff']:>7} "
                  f"{row['bram36']:>7} {row['bram18']:>7} {row['depth']:>6}")
    if "ecp5" in report:
        print(f"  {open_flow(report)}")


def open_flow(report):
    cost = report["ecp5"]
    return (f"Lattice ECP5 (`synth_ecp5`): {cost['lut4']} LUT4 with carry cells as two, "
            f"{cost['ff']} FF, {cost['dp16kd']} DP16KD, {cost['dpr16x4']} DPR16X4.")


def table(report):
    lines = [f"### {report['profile']}", "",
             "| module | instances | LUT | FF | RAMB36 | RAMB18 | depth |", "|---|--:|--:|--:|--:|--:|--:|"]
    if "lut" in report:
        lines += [f"| **whole, flattened** | | **{report['lut']}** | **{report['ff']}** | "
                  f"**{report['bram36']}** | **{report['bram18']}** | **{report['depth']}** |"]
    lines += [f"| `{name}` | {row['instances']} | {row['lut']} | {row['ff']} | {row['bram36']} | "
              f"{row['bram18']} | {row['depth']} |" for name, row in report.get("modules", {}).items()]
    if "ecp5" in report:
        lines += ["", open_flow(report)]
    return "\n".join(lines)


def aims(directory):
    """What was to be reached, beside the reports that there are of this RTL."""
    reports = {}
    for path in sorted(directory.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if report.get("source") == source_digest(*profile_parameters(path.stem)):
            reports[path.stem] = report
    wanted = [(name, key, limit) for name, key, limit in AIMS]
    many, few, factor = QUEUES_AIM
    if "lut" in reports.get(few, {}):
        wanted.append((many, "lut", int(factor * reports[few]["lut"])))
    lines = ["| profile | of | aim | reached | |", "|---|---|--:|--:|---|"]
    for name, key, limit in wanted:
        if key in reports.get(name, {}):
            value = reports[name][key]
            verdict = "holds" if value <= limit else f"{100 * (value / limit - 1):.1f} % over"
            lines.append(f"| {name} | {key.upper()} | {limit} | {value} | {verdict} |")
    return "\n".join(lines)


def update_docs(reports, directory):
    text = DOCS.read_text(encoding="utf-8")
    places = {report["profile"]: table(report) for report in reports} | {"aims": aims(directory)}
    for name, content in places.items():
        begin, end = (f"<!-- {edge} {name} -->" for edge in ("begin", "end"))
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"synth: {DOCS} has no place for {name}")
        text = pattern.sub(lambda _, c=content, b=begin, e=end: f"{b}\n{c}\n{e}", text)
    DOCS.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="+")
    parser.add_argument("--part", action="append", choices=PARTS, help="only that (default: all)")
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
        report = synthesise(name, top, {**parameters, **changes}, args.part or PARTS)
        show(report)
        if not args.top and not changes:
            path = directory / f"{name}.json"
            before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            if before.get("source") == report["source"]:
                report = {**before, **report}
            path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        reports.append(report)
    if not (args.top or changes or args.no_docs):
        update_docs(reports, directory)


if __name__ == "__main__":
    main()
