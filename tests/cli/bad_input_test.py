#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input ends with status 2 and one line that says what, where and what would be accepted, and
leaves no file. Usage: bad_input_test.py NICROSCOPE [unittest options]"""

import shutil

import program
from program import CAPTURE, LONGEST, Case, built, frame, header, records, run


class Refusal(Case):
    def setUp(self):
        super().setUp()
        self.outputs = self.folder / "outputs"
        self.outputs.mkdir()

    def assert_refused(self, *arguments, words=()):
        done = run(*arguments, cwd=self.outputs)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Anicroscope: [^\n]+\n\Z")
        for word in words:
            self.assertIn(str(word), done.stderr)
        self.assertEqual(list(self.outputs.iterdir()), [], done.stderr)

    def assert_capture_refused(self, path, *words):
        for extra in ([], ["--rate", "line", "--json"]):
            self.assert_refused("replay", path, "--out", "out.pcap", "--pcap", "wire.pcap",
                                "--trace", "trace.txt", *extra, words=[path, *words])


class Captures(Refusal):
    def test_no_file(self):
        self.assert_capture_refused(self.folder / "missing.pcap", "No such file")
        self.assert_capture_refused(self.folder, "directory")

    def test_empty(self):
        self.assert_capture_refused(self.file("empty.pcap", b""), "pcap or pcapng")
        self.assert_capture_refused(self.file("header.pcap", header()), "no frames", "Ethernet")

    def test_truncated(self):
        whole = header() + records([frame(60), frame(200), frame(1500)])
        for length in (4, 23, 24 + 7, 24 + 16 + 10, len(whole) - 1, len(whole) - 1500 - 3):
            with self.subTest(length=length):
                self.assert_capture_refused(self.file("cut.pcap", whole[:length]), "pcap")

    def test_no_pcap(self):
        for name, content in (("text", "Not a capture.\n" * 20), ("zeros", bytes(4096)),
                              ("program", b"\x7fELF" + bytes(range(256)) * 4)):
            with self.subTest(name):
                self.assert_capture_refused(self.file(name, content), "pcap or pcapng")

    def test_no_ethernet(self):
        for link, name in ((program.RAW_IP, "RAW"), (program.COOKED, "LINUX_SLL"), (4242, "4242")):
            with self.subTest(link=link):
                path = self.file("link.pcap", header(link) + records([frame(60)]))
                self.assert_capture_refused(path, name, "not Ethernet")

    def test_a_frame_longer_than_the_device_takes(self):
        path = self.capture([frame(60), frame(LONGEST + 1), frame(60)])
        self.assert_capture_refused(path, "frame 2", LONGEST + 1, LONGEST)

    def test_a_frame_shorter_than_a_header(self):
        self.assert_capture_refused(self.capture([frame(60), frame(13)]), "frame 2", "13")

    def test_a_frame_captured_in_part(self):
        self.assert_capture_refused(self.capture([frame(100)], claim=1), "frame 1", "100 of 101")

    def test_a_bad_frame_behind_the_limit(self):
        path = self.capture([frame(60)] * 30 + [frame(LONGEST + 1)])
        self.assert_refused("replay", path, "--limit", 1, "--out", "out.pcap", words=["frame 31"])


class Options(Refusal):
    def assert_replay_refused(self, *options, words=()):
        self.assert_refused("replay", CAPTURE, "--limit", 5, "--out", "out.pcap", *options,
                            words=words)

    def test_keys(self):
        for assignment, *words in (
                ("host.colour=1", "unknown key 'host.colour'", "host.address"),
                ("host=1", "unknown key 'host'"),
                ("bus.lanes=17", "'bus.lanes'", "1 to 16"),
                ("bus.lanes=eight", "'bus.lanes'", "1 to 16"),
                ("bus.lanes=8.0", "'bus.lanes'"),
                ("bus.adversary=1", "'bus.adversary'", "true or false"),
                ("bus.timing=slow", "'bus.timing'", '"pcie", "ideal"'),
                ("wire.rate=warp", "'wire.rate'", '"capture", "line"'),
                ("host.mtu=67", "'host.mtu'", "68 to 9000"),
                ("host.rx_ring=0", "'host.rx_ring'", "1 to"),
                ("host.rx_ring=1025", "1025", "1024"),
                ("host.address=10.0.0.2", "host.address", "10.0.0.2/24"),
                ("host.address=10.0.0.256/24", "host.address"),
                ("host.gateway=nowhere", "host.gateway"),
                ("host.mac=01:00:5e:00:00:01", "host.mac", "01:00:5e:00:00:01"),
                ("host.mac=52:54", "host.mac"),
                ("host.costs=/nowhere/costs.toml", "/nowhere/costs.toml"),
                ("watchdog_cycles=1", "'watchdog_cycles'"),
                ("novalue", "novalue", "key=value"),
                ("=1", "key=value")):
            with self.subTest(assignment):
                self.assert_replay_refused("--set", assignment, words=words)

    def test_profile_and_seed(self):
        self.assert_replay_refused("--profile", "edge11", words=["--profile", '"edge10"'])
        for seed in ("-1", "many", "1.5", "9223372036854775808"):
            with self.subTest(seed=seed):
                self.assert_replay_refused("--seed", seed, words=["--seed"])

    def test_a_model_that_was_not_built(self):
        self.assert_replay_refused("--profile", "dc100", "--wave", "out.fst",
                                   words=["dc100", "edge10"])

    def test_numbers(self):
        for option in ("--limit", "--life"):
            for value in ("-1", "x", "1.5", "99999999999999999999"):
                with self.subTest(option=option, value=value):
                    self.assert_refused("replay", CAPTURE, f"{option}={value}", words=[option])
        self.assert_refused("bench", "sim", "--seconds", "0", words=["--seconds"])

    def test_subcommands(self):
        self.assert_refused(words=["subcommand"])
        self.assert_refused("frobnicate", words=["frobnicate", "replay"])
        self.assert_refused("bench", words=["subcommand"])
        self.assert_refused("replay", words=["capture"])
        self.assert_refused("replay", CAPTURE, "--speed=11", words=["--speed"])

    def test_outputs_that_cannot_be_written(self):
        for option in ("--out", "--pcap", "--trace"):
            for path in ("/nowhere/file", self.outputs):
                with self.subTest(option=option, path=path):
                    self.assert_refused("replay", CAPTURE, "--limit", 5, option, path,
                                        words=[path])
                    self.assertFalse(self.outputs.with_name("outputs.partial").exists())
        self.assert_refused("replay", CAPTURE, "--limit", 5, "--out", "out.pcap", "--trace",
                            "/nowhere/trace", words=["/nowhere/trace"])

    def test_two_outputs_of_one_name(self):
        self.assert_refused("replay", CAPTURE, "--limit", 5, "--out", "same", "--pcap", "same",
                            words=["same"])

    def test_a_waveform_of_a_refused_run(self):
        if not built("traced"):
            self.skipTest("the model with waveforms was not built")
        self.assert_replay_refused("--wave", "/nowhere/wave.fst", words=["/nowhere/wave.fst"])
        self.assert_replay_refused("--wave", "wave.fst", "--trace", "/nowhere/trace")
        self.assert_replay_refused("--wave", "wave.fst", "--set", "host.mac=00:00:00:00:00:00")


class Scenarios(Refusal):
    def assert_scenario_refused(self, text, *words):
        path = self.file("scenario.toml", text)
        self.assert_refused("run", path, "--out", "out.pcap", words=[path, *words])

    def test_no_file(self):
        path = self.folder / "missing.toml"
        self.assert_refused("run", path, words=[path])
        self.assert_refused("run", self.folder, words=[self.folder])

    def test_no_toml(self):
        self.assert_scenario_refused("seed = \n", "scenario.toml:1")
        self.assert_scenario_refused("profile = 'edge10'\nseed == 1\n", "scenario.toml:2")
        self.assert_scenario_refused(bytes(range(128, 200)))
        shutil.copy(CAPTURE, self.folder / "capture")
        self.assert_refused("run", self.folder / "capture", words=[self.folder / "capture"])

    def test_unknown_keys(self):
        self.assert_scenario_refused("sead = 1\n", "scenario.toml:1", "'sead'", "seed")
        self.assert_scenario_refused("seed = 1\n[host]\ncolour = 2\n", "scenario.toml:3",
                                     "'host.colour'")
        self.assert_scenario_refused("[hosts]\nmtu = 1500\n", "'hosts.mtu'")

    def test_values(self):
        self.assert_scenario_refused("seed = -1\n", "scenario.toml:1", "'seed'", "from 0")
        self.assert_scenario_refused("[bus]\nlanes = 0\n", "scenario.toml:2", "1 to 16")
        self.assert_scenario_refused("[bus]\nlanes = '8'\n", "'bus.lanes'")
        self.assert_scenario_refused("[[bus]]\nlanes = 8\n", "bus")
        self.assert_scenario_refused("profile = 'edge11'\n", "'profile'", "edge10")

    def test_no_capture(self):
        self.assert_scenario_refused("", "workload.capture")
        self.assert_refused("run", self.file("s.toml", "[workload]\ncapture = '/nowhere.pcap'\n"),
                            words=["/nowhere.pcap"])


if __name__ == "__main__":
    program.main()
