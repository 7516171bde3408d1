# SPDX-License-Identifier: Apache-2.0
"""Reads the C++ that Verilator 5.006 writes, statement by statement, and finds those of a cycle that
another one makes superfluous (docs/simulator.md, "One cycle").

A cycle runs the logic behind the inputs first ("ico") and then, with the clock's edge, the registers and
the logic behind them ("nba"). What depends on both is in both parts: what it gives behind the registers
is written over at the beginning of the next cycle, and until then read by nobody but logic of which the
same holds. `superfluous()` finds these statements, and proves each of them superfluous by who reads what.
"""

import re

FUNCTION = re.compile(r"^(?:VL_INLINE_OPT )?void (\w+)\([^;{]*\{\n(.*?)^\}$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?:vlSelf->)?\b[A-Za-z_]\w*")
LOCAL = re.compile(r"^\s+(?:CData|SData|IData|QData|VlWide<\w+>|VlUnpacked<.*>)(?:/\*[\d:]+\*/)? (\w+);",
                   re.MULTILINE)
PORT = re.compile(r"vlSelf->(?!__V)(?!\w*__DOT__)\w+")
ASSIGNMENT = re.compile(r"(?<![=!<>])=(?!=)")


class Statement:
    """A statement at the top level of a function: `reads` and `writes` are names of the model's variables
    ("vlSelf->x") and of the function's own ("x"). `sets` is the one that it gives a whole new value."""

    def __init__(self, function, text, begin, end, local):
        self.function, self.begin, self.end = function, begin, end
        self.text = " ".join(text.split())
        self.reads, self.writes, self.sets = set(), set(), None
        for part in re.split(r"[;{}]", text):
            self._add(part, local)
        if "{" in text:
            self.sets = None

    def _add(self, part, local):
        def known(text):
            return {n if n.startswith("vlSelf->") else f"{self.function}:{n}" for n in NAME.findall(text)
                    if n.startswith("vlSelf->") or n in local}

        part = re.sub(r"^\s*else\b", "", part)
        control = re.match(r"\s*(?:if|while|for)\b", part)
        equals = None if control else ASSIGNMENT.search(part)
        if control or (equals is None and not re.match(r"\s*VL_\w+\(", part)):
            self.reads |= known(part)
        elif equals is None:  # a function of Verilator's that returns its result through an argument
            self.reads |= known(part)
            self.writes |= known(part)
        else:
            target, value = part[: equals.start()], part[equals.end() :]
            name = NAME.match(target.strip())
            written = known(name[0]) if name else known(target)
            self.writes |= written
            self.reads |= known(value) | (known(target) - written)
            if "__Vtemp" in value:  # may be filled and used in one expression
                self.writes |= {n for n in known(value) if "__Vtemp" in n}
            if name and target.strip() == name[0] and not written & known(value):
                self.sets = name[0]


def split(body):
    """(begin, end) of each statement at the top level of `body`."""
    depth, begin, at = 0, 0, 0
    for match in re.finditer(r"[(){};]", body):
        mark, at = match[0], match.end()
        if mark in "({":
            depth += 1
        elif mark in ")}":
            depth -= 1
        ends = depth == 0 and (mark == ";" or (mark == "}" and not re.match(r"\s*else\b", body[at:])))
        if ends:
            yield begin, at
            begin = at


def functions(text):
    """name -> (where its statements begin in `text`, the statements)."""
    found = {}
    for match in FUNCTION.finditer(text):
        head, body_mark, body = match[2].partition("// Body\n")
        if not body_mark:
            continue
        local = set(LOCAL.findall(head))
        start = match.start(2) + len(head) + len(body_mark)
        found[match[1]] = [Statement(match[1], body[begin:end], start + begin, start + end, local)
                           for begin, end in split(body)]
    return found


def parts(root, found):
    """The statements of ico and of nba, in their order. `root` is the model's class, `found` its functions();
    nba is empty where they are written in another way than is known here."""
    ico = [s for name, statements in found.items() if f"{root}___ico_" in name for s in statements]
    names = [name for call in found.get(f"{root}___eval_nba", ())
             for name in re.findall(rf"({root}___nba_\w+)\(", call.text)]
    known = all(name in found for name in names)
    return ico, [s for name in names for s in found[name]] if known else []


def superfluous(root, found):
    """The statements of nba that need not run. `root` and `found` as for parts()."""
    ico, nba = parts(root, found)
    repeated = {s.text for s in ico}
    set_again = {s.sets for s in ico}
    kept = {s for s in nba if s.text not in repeated}
    while True:
        keep_ports(nba, kept)
        late = too_late(nba, kept, set_again)
        if not late:
            return [s for s in nba if s not in kept]
        kept |= late


def keep_ports(nba, kept):
    """Adds to `kept` what leaves the model, and all that it comes from."""
    wanted = set()
    for statement in reversed(nba):
        port = any(PORT.fullmatch(name) for name in statement.writes)
        if port or statement.writes & wanted:
            wanted |= statement.reads
            kept.add(statement)


def too_late(nba, kept, set_again):
    """What is not in `kept` and would leave an old value to a register, or to anything else that the next
    cycle does not set anew before it is read."""
    old, late = {}, set()
    for statement in nba:
        if statement not in kept:
            for name in statement.writes:
                old.setdefault(name, set()).add(statement)
            continue
        causes = set().union(*(old.get(name, ()) for name in statement.reads))
        if not causes:
            continue
        for name in statement.writes:
            if name in set_again or not name.startswith("vlSelf->"):
                old.setdefault(name, set()).update(causes)
            else:
                late |= causes
    return late
