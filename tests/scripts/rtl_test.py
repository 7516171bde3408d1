#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rtl.py: finds what a module needs, packages first, and nothing that only a comment names."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import model_later  # noqa: E402
import model_statements  # noqa: E402
import rtl  # noqa: E402

FILES = {
    "rtl/top.sv": "module top; leaf #(.W(3)) u_leaf (); logic [a_pkg::W-1:0] x; endmodule",
    "rtl/sub/leaf.sv": "// unlike other, this is small\nmodule leaf; /* other too */ endmodule",
    "rtl/sub/other.sv": "module other; endmodule",
    "rtl/a_pkg.sv": "package a_pkg; localparam W = 1; endpackage",
}


class NeededFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name).resolve()
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        self.real, rtl.ROOT = rtl.ROOT, self.root

    def tearDown(self):
        rtl.ROOT = self.real
        self.folder.cleanup()

    def names(self, *tops, extra=()):
        return [path.name for path in rtl.needed_files(tops, extra)]

    def test_packages_come_first_and_comments_do_not_count(self):
        self.assertEqual(self.names("top"), ["a_pkg.sv", "leaf.sv", "top.sv"])

    def test_a_file_outside_rtl_can_be_the_top(self):
        bench = self.root / "bench.sv"
        bench.write_text("module bench; other u_other (); endmodule", encoding="utf-8")
        self.assertEqual(sorted(self.names("bench", extra=[bench])), ["bench.sv", "other.sv"])

    def test_a_missing_module_is_named(self):
        with self.assertRaisesRegex(SystemExit, "nowhere.sv"):
            self.names("nowhere")

    def test_two_files_of_one_name_are_refused(self):
        (self.root / "rtl/leaf.sv").write_text("module leaf; endmodule", encoding="utf-8")
        with self.assertRaisesRegex(SystemExit, "two files for leaf"):
            self.names("top")


LOGIC = {
    "late": "vlSelf->t__DOT__late = (vlSelf->t__DOT__slow_q | vlSelf->t__DOT__fast_q);",
    "through": "through = (1U & vlSelf->t__DOT__late);",
    "later": "vlSelf->t__DOT__later = through;",
    "port": "vlSelf->out_o = vlSelf->t__DOT__fast_q;",
    "shared": "vlSelf->t__DOT__shared = (vlSelf->t__DOT__slow_q ^ vlSelf->t__DOT__fast_q);",
    "input": "vlSelf->t__DOT__input = vlSelf->in_i;",
}


def model_of(registers=()):
    """The text of a model with a slow clock, 1, and a fast one, 2. `registers`: more of the slow ones."""
    def function(name, body, head=""):
        lines = "".join(f"    {line}\n" for line in body)
        return (f"VL_INLINE_OPT void V___024root___{name}(V___024root* vlSelf) {{\n"
                f"{head}    // Body\n{lines}}}\n\n")

    calls = [f"if ({' | '.join(f'vlSelf->__VnbaTriggered.at({c}U)' for c in clocks)}) {{\n"
             f"        V___024root___nba_{name}(vlSelf);\n    }}"
             for clocks, name in (("1", "slow"), ("2", "fast"), ("12", "logic"))]
    return (function("ico_inputs", [LOGIC["input"]])
            + function("nba_slow", ["vlSelf->t__DOT__slow_q = vlSelf->t__DOT__later;",
                                    "vlSelf->t__DOT__slow_q ^= vlSelf->t__DOT__shared;",
                                    "vlSelf->t__DOT__held_q = vlSelf->t__DOT__input;", *registers])
            + function("nba_fast", ["vlSelf->t__DOT__fast_q = vlSelf->t__DOT__shared;",
                                    "vlSelf->t__DOT__more_q = vlSelf->t__DOT__held_q;"])
            + function("nba_logic", [LOGIC[n] for n in ("late", "through", "later", "port", "shared")],
                       "    CData/*0:0*/ through;\n")
            + function("eval_nba", calls))


class Later(unittest.TestCase):
    def batches(self, text, kept=()):
        self.text = text
        found = model_statements.functions(text)
        ico, nba = model_statements.parts("V___024root", found)
        clocks = model_later.clocks_of(found["V___024root___eval_nba"])
        return model_later.later(ico, nba, clocks, set(LOGIC.values()), set(kept))

    def names(self, *arguments, **named):
        texts = {text: name for name, text in LOGIC.items()}
        return [(sorted(clocks), [texts[s.text] for s in statements])
                for clocks, statements in self.batches(*arguments, **named)]

    def test_what_only_the_slow_clock_reads_waits_for_it_and_in_order(self):
        self.assertEqual(self.names(model_of()), [([1], ["late", "through", "later", "input"])])

    def test_what_the_fast_clock_reads_too_runs_as_before(self):
        fast_reads = model_of().replace("t__DOT__more_q = ", "t__DOT__more_q = vlSelf->t__DOT__later & ")
        self.assertEqual(self.names(fast_reads), [([1], ["input"])])

    def test_what_is_read_in_the_same_cycle_runs_as_before(self):
        read = model_of().replace("vlSelf->out_o = ", "vlSelf->out_o = vlSelf->t__DOT__later & ")
        self.assertEqual(self.names(read), [([1], ["input"])])

    def test_what_others_read_runs_as_before(self):
        self.assertEqual(self.names(model_of(), kept=["vlSelf->t__DOT__late"]),
                         [([1], ["through", "later", "input"])])

    def test_what_inputs_change_meanwhile_is_not_read_later(self):
        changed = model_of().replace("vlSelf->t__DOT__input = vlSelf->in_i;",
                                     "vlSelf->t__DOT__fast_q = vlSelf->in_i;")
        self.assertEqual(self.names(changed), [([1], ["through", "later"])])

    def test_what_a_register_shares_never_waits(self):
        shared = model_of(registers=["vlSelf->t__DOT__later = 0U;"])
        self.assertEqual(self.names(shared), [([1], ["input"])])

    def test_the_function_has_locals_of_its_own(self):
        text = model_later.function("V___024root", self.batches(model_of()), lambda s: self.text)
        self.assertEqual(" ".join(text.split()),
                         "VL_INLINE_OPT void V___024root___nba_later(V___024root* vlSelf) { "
                         "CData/*0:0*/ through__late0{}; // Body if (vlSelf->__VnbaTriggered.at(1U)) { "
                         + " ".join(LOGIC[n] for n in ("late", "through", "later", "input"))
                         .replace("through", "through__late0") + " } }")


class CommandLine(unittest.TestCase):
    def test_the_real_package_is_listed(self):
        done = subprocess.run([sys.executable, ROOT / "scripts/rtl.py", "files", "virtio_pkg"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "rtl/virtio_pkg.sv\n")


if __name__ == "__main__":
    unittest.main()
