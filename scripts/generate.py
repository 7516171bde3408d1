#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes every copy of the register map and the profiles from their one home.

reads   rtl/registers.toml, rtl/profiles.toml
writes  rtl/virtio_pkg.sv, include/nicroscope/registers.h, include/nicroscope/profiles.h,
        docs/registers.md, cmake/profiles.cmake

With --check nothing is written; exit 1 says which files are not what they would be.
"""

import argparse
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Bad(Exception):
    """The TOML says something impossible; the text says what and where."""


def upper_camel(snake):
    """rx_fcs_errors -> RxFcsErrors"""
    return "".join(part.capitalize() for part in snake.split("_"))


def hexadecimal(value, bits):
    return f"{value:0{(bits + 3) // 4}x}"


# ---- What the map has to satisfy


def refuse_overlap(what, spans):
    """spans: (name, first, past the end)"""
    spans = sorted(spans, key=lambda span: span[1])
    for (name, _, end), (other, start, _) in zip(spans, spans[1:]):
        if start < end:
            raise Bad(f"{what}: {name} and {other} overlap")


def check_registers(regs):
    regions = {r["name"]: r for r in regs["region"]}
    spans = [(r["name"], r["base"], r["base"] + r["bytes"]) for r in regs["region"]]
    refuse_overlap("regions", spans)
    for r in regs["region"]:
        if r["base"] + r["bytes"] > regs["bar"]["bytes"]:
            raise Bad(f"region {r['name']} leaves the BAR")
    for group in regs["registers"]:
        spans = [(f["name"], f["offset"], f["offset"] + f["bits"] // 8) for f in group["fields"]]
        refuse_overlap(group["title"], spans)
        limit = regions[group["prefix"]]["bytes"] if group["prefix"] in regions else 0x1000
        for name, start, end in spans:
            if end > limit:
                raise Bad(f"{group['prefix']}{name} leaves its region")
            if group["prefix"] in ("Common", "Vendor") and start % min(end - start, 4):
                raise Bad(f"{group['prefix']}{name} is not aligned")
    for group in regs["values"]:
        values = [i["value"] for i in group["items"]]
        for item in group["items"]:
            if group["bits"] and item["value"] >> group["bits"]:
                raise Bad(f"{group['prefix']}{item['name']} does not fit {group['bits']} bits")
        if group["prefix"] and len(set(values)) != len(values):
            raise Bad(f"{group['title']}: a value is there twice")


def constants(regs):
    """Every constant as (section, name, value, bits, text); bits 0 is an unsigned integer."""
    out = [("BAR", "BarBytes", regs["bar"]["bytes"], 0, "the whole BAR")]
    for r in regs["region"]:
        out.append(("BAR", f"Bar{r['name']}", r["base"], 16, r["text"]))
        out.append(("BAR", f"Bar{r['name']}Bytes", r["bytes"], 0, "its size"))
    for group in regs["registers"]:
        section = f"{group['title']}: offsets ({group['source']})"
        for f in group["fields"]:
            out.append((section, group["prefix"] + f["name"], f["offset"], 12, f["text"]))
    for group in regs["values"]:
        section = f"{group['title']} ({group['source']})"
        for i in group["items"]:
            name = group["prefix"] + i["name"]
            out.append((section, name, i["value"], group["bits"], i["text"]))
        if group["prefix"] == "Feature":
            mask = sum(1 << i["value"] for i in group["items"] if i.get("offered"))
            out.append((section, "FeaturesOffered", mask, 64, "device_feature of this device"))
    section = "Counters: place on the vendor page"
    out.append((section, "NumCounters", len(regs["counter"]), 0, "how many"))
    for index, c in enumerate(regs["counter"]):
        out.append((section, "Counter" + upper_camel(c["name"]), index, 0, c["text"]))
    section = "Trace points: place in trace_valid_o"
    out.append((section, "NumTracePoints", len(regs["trace"]), 0, "how many"))
    for index, t in enumerate(regs["trace"]):
        out.append((section, "Trace" + t["name"], index, 0, t["text"]))
    seen = set()
    for _, name, *_ in out:
        if name in seen:
            raise Bad(f"the name {name} is there twice")
        seen.add(name)
    return out


# ---- Writers


def commented(code, text):
    """A line with its comment beside it, or above it where 100 columns don't hold both."""
    if len(code) + len(text) + 5 <= 100:
        return [f"{code}  // {text}"]
    indent = code[: len(code) - len(code.lstrip())]
    return [f"{indent}// {text}", code]


def sectioned(rows, comment):
    lines, previous = [], None
    for section, line in rows:
        if section != previous:
            lines += ["", comment(section)]
            previous = section
        lines += line
    return lines


def systemverilog(regs):
    rows = []
    for section, name, value, bits, text in constants(regs):
        if bits:
            code = f"  localparam logic [{bits - 1}:0] {name} = {bits}'h{hexadecimal(value, bits)};"
        else:
            code = f"  localparam int unsigned {name} = {value};"
        rows.append((section, commented(code, text)))
    head = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Generated by scripts/generate.py from rtl/registers.toml. Change that file, not this one.",
        "//",
        "// The numbers that hardware and software share. Offsets are relative to their region.",
        "package virtio_pkg;",
    ]
    return "\n".join(head + sectioned(rows, lambda s: f"  // ---- {s}") + ["", "endpackage", ""])


def cpp_type(bits):
    return {0: "unsigned", 8: "std::uint8_t", 12: "std::uint16_t"}.get(bits, f"std::uint{bits}_t")


def cpp_literal(value, bits):
    suffix = "ull" if bits == 64 else "u"
    return f"0x{hexadecimal(value, bits)}{suffix}" if bits else f"{value}u"


def cpp_table(kind, name, comment, rows):
    lines = ["", f"// {comment}", f"inline constexpr std::array<{kind}, {len(rows)}> {name}{{{{"]
    for row in rows:
        lines.append("    {" + ", ".join(row) + "},")
    return lines + ["}};"]


def quoted(text):
    return '"' + text.replace('"', '\\"') + '"'


def header(regs):
    rows = []
    for section, name, value, bits, text in constants(regs):
        code = f"inline constexpr {cpp_type(bits)} k{name} = {cpp_literal(value, bits)};"
        rows.append((section, commented(code, text)))
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Generated by scripts/generate.py from rtl/registers.toml. Change that file, not this one.",
        "//",
        "// The numbers that hardware and software share, as constants and as tables with their",
        "// names. Offsets are bytes, relative to their region; kBar... are the regions' places.",
        "// clang-format off",
        "#pragma once",
        "",
        "#include <array>",
        "#include <cstdint>",
        "#include <string_view>",
        "",
        "namespace nicroscope::regs {",
    ]
    lines += sectioned(rows, lambda s: f"// ---- {s}")
    lines += [
        "",
        "// A value with its name: a feature bit, an error code.",
        "struct NamedValue {",
        "  unsigned value;",
        "  std::string_view name;",
        "  std::string_view text;",
        "};",
        "",
        "// A counter: `drop` says that a frame counted here went no further.",
        "struct CounterInfo {",
        "  std::string_view name;",
        "  bool drop;",
        "  std::string_view text;",
        "};",
        "",
        "// A trace point: `tag` says what the event's 32-bit tag is.",
        "struct TracePointInfo {",
        "  std::string_view name;",
        "  std::string_view tag;",
        "  std::string_view text;",
        "};",
    ]
    for group in regs["values"]:
        if "table" in group:
            lines += cpp_table("NamedValue", group["table"], f"{group['title']} by value.", [
                [f"{i['value']}u", quoted(i["name"]), quoted(i["text"])] for i in group["items"]])
    lines += cpp_table(
        "CounterInfo", "kCounters", "Indexed by kCounter...; the names are those of `ethtool -S`.",
        [[quoted(c["name"]), "true" if c.get("drop") else "false", quoted(c["text"])]
         for c in regs["counter"]])
    lines += cpp_table(
        "TracePointInfo", "kTracePoints", "Indexed by kTrace....",
        [[quoted(t["name"]), quoted(t["tag"]), quoted(t["text"])] for t in regs["trace"]])
    return "\n".join(lines + ["", "}  // namespace nicroscope::regs", ""])


def table_markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def markdown(regs):
    lines = [
        "<!-- Generated by scripts/generate.py from rtl/registers.toml: change that file. -->",
        "# Registers, descriptors, counters and trace points",
        "",
        regs["bar"]["text"],
        "In SystemVerilog a name below is `virtio_pkg::Name`, in C++ `nicroscope::regs::kName`.",
        "",
        "## Regions of the BAR",
        "",
    ]
    lines += table_markdown(["base", "bytes", "region", ""], [
        [f"`0x{r['base']:04x}`", f"{r['bytes']}", f"`Bar{r['name']}`", r["text"]]
        for r in regs["region"]])
    for group in regs["registers"]:
        lines += [f"## {group['title']}", "", f"Source: {group['source']}.", ""]
        lines += table_markdown(["offset", "bits", "access", "name", ""], [
            [f"`0x{f['offset']:02x}`", f"{f['bits']}", f["access"],
             f"`{group['prefix']}{f['name']}`", f["text"]] for f in group["fields"]])
    for group in regs["values"]:
        feature = group["prefix"] == "Feature"
        lines += [f"## {group['title']}", "", f"Source: {group['source']}.", ""]
        head = ["value", "name", ""] + (["offered"] if feature else [])
        rows = []
        for i in group["items"]:
            bits = group["bits"]
            value = f"`0x{hexadecimal(i['value'], bits)}`" if bits else f"{i['value']}"
            row = [value, f"`{group['prefix']}{i['name']}`", i["text"]]
            rows.append(row + (["yes" if i.get("offered") else ""] if feature else []))
        lines += table_markdown(head, rows)
    lines += ["## Counters", "", "64 bits each, from `VendorCounters` on, in this order.", ""]
    lines += table_markdown(["offset", "name", "drop", ""], [
        [f"`0x{0x100 + 8 * n:03x}`", f"`{c['name']}`", "yes" if c.get("drop") else "", c["text"]]
        for n, c in enumerate(regs["counter"])])
    lines += ["## Trace points", "", "Bit of `trace_valid_o`, and what the tag says.", ""]
    lines += table_markdown(["bit", "name", "tag", ""], [
        [f"{n}", f"`{t['name']}`", t["tag"], t["text"]] for n, t in enumerate(regs["trace"])])
    return "\n".join(lines).rstrip("\n") + "\n"


def parameters(profile):
    return {k: v for k, v in profile.items() if k not in ("text", "top")}


def profiles_header(profiles):
    fields = list(parameters(next(iter(profiles.values()))))
    units = {"clock_khz": "kHz", "link_mbps": "Mbit/s", "ring_max": "slots", "queue_pairs": "pairs"}
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Generated by scripts/generate.py from rtl/profiles.toml. Change that file, not this one.",
        "// clang-format off",
        "#pragma once",
        "",
        "#include <array>",
        "#include <optional>",
        "#include <string_view>",
        "",
        "namespace nicroscope {",
        "",
        "// A configuration of the NIC that is built and tested; the fields are the top's parameters.",
        "struct Profile {",
        "  std::string_view name;",
        "  std::string_view top;  // top module",
    ]
    for f in fields:
        lines.append(f"  unsigned {f};  // {units.get(f, 'bytes')}")
    lines += ["};", "", f"inline constexpr std::array<Profile, {len(profiles)}> kProfiles{{{{"]
    for name, p in profiles.items():
        lines += [f"    // {p['text']}", f"    {{.name = {quoted(name)}, .top = {quoted(p['top'])},"]
        lines += [f"     .{f} = {p[f]}," for f in fields[:-1]]
        lines += [f"     .{fields[-1]} = {p[fields[-1]]}}},"]
    lines += [
        "}};",
        "",
        "// The profile of that name, or nothing.",
        "constexpr std::optional<Profile> find_profile(std::string_view name) {",
        "  for (const Profile& profile : kProfiles) {",
        "    if (profile.name == name) return profile;",
        "  }",
        "  return std::nullopt;",
        "}",
        "",
        "}  // namespace nicroscope",
        "",
    ]
    return "\n".join(lines)


def profiles_cmake(profiles):
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        "# Generated by scripts/generate.py from rtl/profiles.toml. Change that file, not this one.",
        "",
        f"set(NICROSCOPE_PROFILES {' '.join(profiles)})",
    ]
    for name, p in profiles.items():
        lines += ["", f"set(NICROSCOPE_{name}_TOP {p['top']})", f"set(NICROSCOPE_{name}_PARAMETERS"]
        lines += [f"    {upper_camel(k)}={v}" for k, v in parameters(p).items()]
        lines[-1] += ")"
    return "\n".join(lines) + "\n"


def check_profiles(profiles):
    names = None
    for name, p in profiles.items():
        if names not in (None, list(p)):
            raise Bad(f"profile {name} has other keys than the one before it")
        names = list(p)
        if p["axi_bytes"] < max(16, p["stream_bytes"]):
            raise Bad(f"profile {name}: axi_bytes is below 16 or below stream_bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 where a file is stale")
    check = parser.parse_args().check
    try:
        regs = tomllib.loads((ROOT / "rtl/registers.toml").read_text(encoding="utf-8"))
        profiles = tomllib.loads((ROOT / "rtl/profiles.toml").read_text(encoding="utf-8"))
        check_registers(regs)
        check_profiles(profiles)
        outputs = {
            "rtl/virtio_pkg.sv": systemverilog(regs),
            "include/nicroscope/registers.h": header(regs),
            "docs/registers.md": markdown(regs),
            "include/nicroscope/profiles.h": profiles_header(profiles),
            "cmake/profiles.cmake": profiles_cmake(profiles),
        }
    except (Bad, tomllib.TOMLDecodeError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 2
    stale = []
    for name, text in outputs.items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and stale:
        print("stale, run scripts/generate.py: " + ", ".join(stale), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
