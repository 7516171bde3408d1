#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves what `idle_o` promises (design: time is an input): while it is high and the inputs are quiet,
a clock edge changes no register and no memory.

    idle.py MODEL TOP QUIET FACTS DEADLINE [SOLVER]

MODEL is what Yosys' write_smt2 -wires made of the flattened module TOP. QUIET names the inputs that are
zero then, with commas, or a=b for one that has the value of signal b; all others are free. It is one
step from any state in which the FACTS hold, which are proved too: a reset makes them hold, and every
step keeps them. A fact is

    a                       signal a is zero while idle_o is high
    a=b                     they are equal then
    a>b, a>!b               while a is not zero, b is not, or is
    fifo_ram:path:depth     the counts of that FIFO agree
    but:a                   (no fact) register a has data that nobody looks at then: not compared

DEADLINE `deadline`: besides, with `now_i` anywhere before `deadline_o`, idle_o and deadline_o stay as
they are: to jump there is exact. Else, and for no FACTS, `-`.

One line for each part; the exit status is 0 if all hold, 1 if one fails, 2 if the solver gave up.
"""

import re
import subprocess
import sys


def main():
    path, top, quiet, facts, deadline = sys.argv[1:6]
    solver = sys.argv[6] if len(sys.argv) > 6 else "z3"
    model = open(path).read()
    inputs = dict(re.findall(r"^; yosys-smt2-input (\S+) (\d+)$", model, re.M))
    transition = re.search(r"\(define-fun \|%s_t\| .*?^\)\) ; end of module" % re.escape(top),
                           model, re.S | re.M).group(0)
    # Each line of the transition says: this value in the state is that register's in the next one.
    registers = re.findall(r"\(= \((\|[^|]*\|) state\) \((\|[^|]*\|) next_state\)\) ; (.*)",
                           transition)

    # Everything is a function of the state: written out for one state, as z3 takes long otherwise.
    functions = re.findall(r"^\((?:define-fun (\|[^|]*\|) \(\(state \|[^|]*\|\)\)|"
                           r"declare-fun (\|[^|]*\|) \(\|[^|]*\|\)) (.*)$", model, re.M)

    def of(text, state):
        return re.sub(r"\(\|([^|]*)\| state\)", rf"|\1@{state}|", text)

    def written_out(state):
        for defined, declared, rest in functions:
            rest = re.sub(r"\) ;.*$", ")", rest)[:-1]
            sort = re.match(r"Bool|\(_ BitVec \d+\)|\(Array (?:\([^)]*\)|Bool) (?:\([^)]*\)|Bool)\)",
                            rest).group(0)
            if declared:
                yield f"(declare-fun {declared[:-1]}@{state}| () {sort})"
            else:
                yield f"(define-fun {defined[:-1]}@{state}| () {sort} {of(rest[len(sort):], state)})"

    def value(name, state):
        return f"|{top}_n {name}@{state}|"

    widths = {name: int(width) for name, width in
              re.findall(r"^; yosys-smt2-wire (\S+) (\d+)$", model, re.M)}

    def zero(name, state):
        if name not in widths:
            sys.exit(f"{top} has no signal {name}")
        if widths[name] == 1:
            return f"(not {value(name, state)})"
        return f"(= {value(name, state)} (_ bv0 {widths[name]}))"

    def rests(text, state):
        if "=" not in text:
            return zero(text, state)
        return "(= " + " ".join(value(name, state) for name in text.split("=")) + ")"

    def fifo_ram(path, state):
        """The counts of a fifo_ram agree: what is stored is what is held, but for the output's word."""
        path, depth = path.split(":")
        width = widths[f"{path}.count_q"]
        count = value(f"{path}.count_q", state)
        valid = f"(ite {value(f'{path}.valid_q', state)} (_ bv1 {width}) (_ bv0 {width}))"
        return (f"(and (bvule {valid} {count}) (= {value(f'{path}.stored_q', state)} "
                f"(not (= {valid} {count}))) (bvule {count} (_ bv{depth} {width})) "
                f"(= {value(f'{path}.full_q', state)} (= {count} (_ bv{depth} {width}))))")

    def fact(text, state):
        if text.startswith("fifo_ram:"):
            return fifo_ram(text[len("fifo_ram:"):], state)
        if "=" in text:
            same = " ".join(value(name, state) for name in text.split("="))
            return f"(or (not {value('idle_o', state)}) (= {same}))"
        if ">" not in text:
            return f"(or (not {value('idle_o', state)}) {zero(text, state)})"
        given, then = text.split(">")
        then = zero(then[1:], state) if then[0] == "!" else f"(not {zero(then, state)})"
        return f"(or {zero(given, state)} {then})"

    def kept(now, now_state, then, then_state):
        return f"(= {now[:-1]}@{now_state}| {then[:-1]}@{then_state}|)"

    quiet = [name for name in quiet.split(",") if name != "-"] + ["rst_i"] * ("rst_i" in inputs)
    facts = [text for text in facts.split(",") if text != "-"]
    spare = [text[len("but:"):] for text in facts if text.startswith("but:")]
    facts = [text for text in facts if not text.startswith("but:")]
    compared = [entry for entry in registers if entry[2].split("\\")[-1].split()[0] not in spare]
    if len(compared) != len(registers) - len(spare):
        sys.exit(f"{top}: not every one of {', '.join(spare)} is a register")
    for name in quiet:
        if name.split("=")[0] not in widths:
            sys.exit(f"{top} has no signal {name}")
    known = [fact(text, "s") for text in facts]
    still = [rests(name, "s") for name in quiet] + known + [value("idle_o", "s")]

    def ask(conditions, states=("s",), show=()):
        text = [line for state in states for line in written_out(state)]
        text += [f"(assert {c})" for c in conditions] + ["(check-sat)"]
        if show:
            text.append("(get-value (" + " ".join(show) + "))")
        run = subprocess.run([solver, "-in", "-T:1800"], input="\n".join(text),
                             capture_output=True, text=True)
        lines = run.stdout.splitlines()
        if not lines or lines[0] not in ("sat", "unsat"):
            print(f"      the solver says: {(lines or run.stderr.splitlines() or ['nothing'])[0]}")
        return (lines[0] if lines else "nothing"), lines[1:]

    status = 0

    def verdict(good, answer, text):
        nonlocal status
        print(("PASS  " if answer == good else "FAIL  ") + text)
        if answer != good:
            status = max(status, 1 if answer in ("sat", "unsat") else 2)

    answer, _ = ask(still)
    verdict("sat", answer, f"{top} can be idle")

    show = [kept(now, "s", then, "s") for now, then, _ in compared]
    changes = [f"(not {same})" for same in show]
    if not registers:
        sys.exit(f"{top} has no registers")
    answer, values = ask(still + [f"(or {' '.join(changes)} false)"], show=show)
    verdict("unsat", answer, f"{top}: while idle an edge changes none of {len(compared)} registers")
    if answer == "sat":
        flags = re.findall(r"\b(true|false)\)", "\n".join(values))
        for flag, (_, _, name) in zip(flags, compared):
            if flag == "false":
                print(f"      changes: {name}")

    answer, _ = ask(still[:-1] + [f"(not {value('idle_o', 's')})", f"(or {' '.join(changes)} false)"])
    verdict("sat", answer, f"{top}: with idle_o always high that would not hold")

    if facts:
        step = [kept(now, "s", then, "t") for now, then, _ in registers]
        broken = f"(not (and true {' '.join(fact(text, 't') for text in facts)}))"
        answer, _ = ask(step + [f"(not {zero('rst_i', 's')})", broken], states=("s", "t"))
        verdict("unsat", answer, f"{top}: reset makes its {len(facts)} facts hold")
        answer, _ = ask(step + known + [broken], states=("s", "t"))
        verdict("unsat", answer, f"{top}: every step keeps them")

    if deadline == "deadline":
        same = [kept(then, "s", then, "t") for _, then, _ in registers]
        same += [f"(= {value(name, 's')} {value(name, 't')})" for name in inputs
                 if name not in ("now_i", "clk_i")]
        later = [f"(bvule {value('now_i', 's')} {value('now_i', 't')})",
                 f"(bvult {value('now_i', 't')} {value('deadline_o', 's')})"]
        stays = f"(and {value('idle_o', 't')} (= {value('deadline_o', 's')} {value('deadline_o', 't')}))"
        answer, _ = ask(still + same + later + [f"(not {stays})"], states=("s", "t"))
        verdict("unsat", answer, f"{top}: before its deadline it stays idle, and its deadline stays")
    return status


sys.exit(main())
