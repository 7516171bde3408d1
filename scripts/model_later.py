# SPDX-License-Identifier: Apache-2.0
"""Finds statements of a model that can wait until somebody reads what they give (docs/simulator.md, "One
cycle").

Logic behind registers of several clocks runs when any of these has an edge. Where only registers of clock X
read the result, it is needed at edges of X alone: then it can run at the beginning of nba, before any
register changes, if X has an edge. So can logic behind the inputs.
"""

import re

from model_statements import PORT

CALL = re.compile(r"if \(([^{};]*)\) \{ (\w+)\(\(?vlSelf\)?\); \}")
CLOCK = re.compile(r"__VnbaTriggered\.at\((\w+)U\)")
ALWAYS = 0  # the number of clk_i, which has an edge in each cycle


def clocks_of(calls):
    """function -> numbers of the clocks of which an edge makes eval_nba call it, from its statements."""
    found = {}
    for call in calls:
        match = CALL.fullmatch(call.text)
        if match:
            found[match[2]] = frozenset(int(number, 16) for number in CLOCK.findall(match[1]))
    return found


class Cycle:
    """The statements of a cycle in their order, and who reads and writes what."""

    def __init__(self, ico, nba, clocks, settled, kept):
        """`settled`: texts of the statements that are logic and not registers. `kept`: variables that others
        read."""
        self.ico, self.clocks = set(ico), clocks
        self.place = {s: place for place, s in enumerate([*ico, *nba])}
        self.readers, self.writers = {}, {}
        for s in self.place:
            for name in s.reads:
                self.readers.setdefault(name, []).append(s)
            for name in s.writes:
                self.writers.setdefault(name, []).append(s)
        self.late = {s for s in self.place if s.text in settled and s.writes and not s.writes & kept
                     and not any(PORT.fullmatch(name) for name in s.writes)}

    def order(self, statement):
        """Where a late statement runs: what has waited since the last cycle's nba goes first."""
        return statement in self.ico, self.place[statement]

    def allowed(self, s):
        """Whether all that `s` reads is still the same later, and nobody reads what it gives before."""
        for name in s.writes:
            writers = self.writers[name]
            if not self.late.issuperset(writers) or len({w in self.ico for w in writers}) > 1:
                return False
            for reader in self.readers.get(name, ()):
                if reader in self.late:
                    continue
                between = reader in self.ico or (s not in self.ico and self.place[reader] > self.place[s])
                if between or not name.startswith("vlSelf->"):
                    return False
        return all(self.same_later(s, name, writer)
                   for name in s.reads for writer in self.writers.get(name, ()) if writer is not s)

    def same_later(self, s, name, writer):
        if writer in self.ico and s not in self.ico:
            return False
        if writer in self.late:
            return self.order(writer) < self.order(s) or name in s.writes
        if not name.startswith("vlSelf->"):
            return False
        return s in self.ico and writer not in self.ico or self.place[writer] < self.place[s]

    def needed_at(self):
        """late statement -> the clocks at whose edges somebody reads what it gives."""
        needed = {s: frozenset() for s in self.late}
        changed = True
        while changed:
            changed = False
            for s, before in needed.items():
                others = [o for name in s.writes for o in self.readers.get(name, []) + self.writers[name]]
                clocks = before.union(*(needed[o] if o in needed else self.clocks[o.function]
                                        for o in others if o is not s))
                if clocks != before:
                    needed[s], changed = clocks, True
        return needed

    def shrink(self):
        """Takes out of `late` what may not wait, or what would not run less often for it."""
        while True:
            refused = {s for s in self.late if not self.allowed(s)}
            if not refused:
                needed = self.needed_at()
                refused = {s for s, clocks in needed.items() if ALWAYS in clocks
                           or not (s in self.ico or clocks < self.clocks[s.function])}
            if not refused:
                return needed
            self.late -= refused


def batches(cycle, needed):
    """[(clocks, [statement])]: the late statements in an order in which they can run, those that the same
    clocks need together as far as possible."""
    waiting = sorted(cycle.late, key=cycle.order)
    found = []
    while waiting:
        clocks, batch, rest = needed[waiting[0]], [], []
        read, written = set(), set()  # by those that stay behind
        for s in waiting:
            free = not (s.writes & (read | written) or s.reads & written)
            if free and needed[s] == clocks:
                batch.append(s)
            else:
                rest.append(s)
                read |= s.reads
                written |= s.writes
        found.append((clocks, batch))
        waiting = rest
    return found


def later(ico, nba, clocks, settled, kept):
    """Which statements can wait, as batches(). Arguments as for Cycle."""
    cycle = Cycle(ico, nba, clocks, settled, kept)
    return batches(cycle, cycle.shrink())


def function(root, found, text_of):
    """A function that runs the batches `found`. `text_of(statement)`: the text that it is a part of."""
    head, body, known = "", "", {}
    for clocks, statements in found:
        edges = " | ".join(f"vlSelf->__VnbaTriggered.at({clock}U)" for clock in sorted(clocks))
        body += f"    if ({edges}) {{"
        for s in statements:
            whole = text_of(s)
            text = whole[s.begin : s.end]
            for local in sorted(n for n in s.reads | s.writes if not n.startswith("vlSelf->")):
                name = local.rpartition(":")[2]
                if local not in known:
                    known[local] = f"{name}__late{len(known)}"
                    kind = re.findall(rf"^ +(\S.*) {name};", whole[: s.begin], re.MULTILINE)[-1]
                    head += f"    {kind} {known[local]}{{}};\n"
                text = re.sub(rf"(?<![\w>]){name}\b", known[local], text)
            body += text
        body += "\n    }\n"
    return f"VL_INLINE_OPT void {root}___nba_later({root}* vlSelf) {{\n{head}    // Body\n{body}}}\n\n"
