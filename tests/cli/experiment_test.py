# SPDX-License-Identifier: Apache-2.0
"""`nicroscope experiment` and `nicroscope profile`: the shapes that they are there to show, from few
and short runs, the same in every run."""

import json
import unittest

import program
from program import Case, run


def experiment(name, *arguments):
    """The report of the experiment, which must succeed."""
    done = run("experiment", name, "--fewer", "--json", *arguments, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows(report, **labels):
    """The points that have these labels."""
    return [p for p in report["points"] if all(p[k] == v for k, v in labels.items())]


class ExperimentTest(Case):
    def conserved(self, report):
        """Every frame that was sent is delivered or counted with its reason."""
        self.assertTrue(report["points"])
        for point in report["points"]:
            self.assertGreater(point["sent"], 0)
            self.assertEqual(point["sent"], point["delivered"] + sum(point["drops"].values()))
            self.assertLess(point["cpu_hardirq"] + point["cpu_softirq"] + point["cpu_process"],
                            len(point["cpu_busy"]) + 0.001)

    def test_livelock(self):
        report = experiment("livelock")
        self.conserved(report)
        for workload in ("forward", "local"):
            napi = rows(report, workload=workload, architecture="napi")
            interrupt = rows(report, workload=workload, architecture="interrupt")
            for light in (napi[0], interrupt[0]):
                self.assertEqual(light["dropped"], 0)
                self.assertAlmostEqual(light["delivered_pps"] / light["offered_pps"], 1,
                                       delta=0.02)
            # NAPI saturates and stays; what is too much is dropped by the NIC, at no cost.
            overload = napi[-1]
            self.assertGreater(overload["offered_pps"], 1.3 * overload["delivered_pps"])
            self.assertGreaterEqual(overload["delivered_pps"], 0.97 * napi[-2]["delivered_pps"])
            self.assertEqual(overload["rx_interrupts"], 0)
            # An interrupt a frame: past the peak, next to nothing is left.
            peak = max(p["delivered_pps"] for p in interrupt)
            self.assertLess(peak, max(p["delivered_pps"] for p in napi))
            collapsed = interrupt[-1]
            self.assertLess(collapsed["delivered_pps"], 0.1 * peak)
            self.assertGreater(collapsed["cpu_hardirq"], 0.9)
            self.assertLess(collapsed["cpu_useful"], 0.1)
            # A program that has the NIC to itself takes all of it, without interrupts.
            for point in rows(report, workload=workload, architecture="poll"):
                self.assertEqual(point["rx_interrupts"], 0)
                self.assertGreater(point["delivered_pps"], 0.98 * point["offered_pps"])
        forward = rows(report, workload="forward", architecture="interrupt")
        self.assertAlmostEqual(max(p["delivered_pps"] for p in forward), 60_000, delta=6_000)

    def test_napi_table(self):
        report = experiment("napi-table")
        self.conserved(report)
        by_size = {p["size"]: p for p in report["points"]}
        self.assertLess(by_size[60]["forwarded"], 500_000)
        self.assertLess(by_size[60]["rx_per_million"], 5_000)
        self.assertAlmostEqual(by_size[1024]["rx_per_million"],
                               by_size[1024]["published"]["rx_interrupts"], delta=130_000)
        self.assertGreater(by_size[1024]["rx_per_million"],
                           1.5 * by_size[512]["rx_per_million"])
        self.assertEqual(by_size[1024]["dropped"], 0)
        self.assertGreater(by_size[60]["not_done_per_million"],
                           by_size[512]["not_done_per_million"])

    def test_ring_size(self):
        report = experiment("ring-size")
        self.conserved(report)
        small, middle, large = rows(report, burst=1024)
        self.assertGreater(small["loss"], middle["loss"])
        self.assertEqual(large["loss"], 0)
        self.assertGreater(large["latency_us_p99"], middle["latency_us_p99"])

    def test_pcie_latency(self):
        report = experiment("pcie-latency")
        self.conserved(report)
        for reads in ("none", "poll"):
            for point in rows(report, workload="forward", register_reads=reads):
                self.assertLess(abs(point["change"]), 0.03)
        near, far = rows(report, workload="forward", register_reads="frame")
        self.assertLess(far["change"], -0.1)
        # A frame takes what it takes without a read, and the read's round trip.
        for point in (near, far):
            self.assertAlmostEqual(point["us_per_frame"] / point["us_expected"], 1, delta=0.07)
        # Delivered to a process, as SimBricks' frames are, it costs what they measured.
        far = rows(report, workload="local", register_reads="frame")[-1]
        self.assertAlmostEqual(far["change"], -0.212, delta=0.03)

    def test_coalesce(self):
        report = experiment("coalesce")
        self.conserved(report)
        none, *fixed, adaptive = rows(report, load="request-response")
        # One request at a time: a delay is pure loss, and net_dim finds the least.
        self.assertGreater(fixed[-1]["latency_us_median"], none["latency_us_median"] + 32)
        self.assertLess(adaptive["latency_us_median"], none["latency_us_median"] + 8)
        self.assertEqual(adaptive["dim"][-1]["profile"], 0)
        none, *fixed, adaptive = rows(report, load="bulk")
        for row in (fixed[-1], adaptive):
            self.assertLess(row["interrupts"], 0.5 * none["interrupts"])
            self.assertLess(row["cpu_us_per_frame"], 0.9 * none["cpu_us_per_frame"])
            self.assertGreater(row["latency_us_median"], none["latency_us_median"])
        # Where the load changes, only what changes with it is good in both phases.
        none, *fixed, adaptive = rows(report, load="mix")
        self.assertLess(adaptive["latency_us_median"], none["latency_us_median"] + 8)
        self.assertGreater(fixed[-1]["latency_us_median"], none["latency_us_median"] + 32)
        self.assertLess(adaptive["cpu_us_per_frame"], 0.9 * none["cpu_us_per_frame"])
        receive = [step["profile"] for step in adaptive["dim"] if step["virtqueue"] == 0]
        self.assertGreaterEqual(max(receive), 3)
        self.assertIn(0, receive[receive.index(max(receive)):], "it comes down again")
        for load in ("bulk", "request-response", "bursts", "mix"):
            beaten = rows(report, load=load, on_frontier=False)
            frontier = rows(report, load=load, on_frontier=True)
            self.assertTrue(frontier)
            for row in beaten:
                self.assertTrue(any(
                    other["latency_us_median"] <= 1.03 * row["latency_us_median"] and
                    other["cpu_us_per_frame"] <= 1.03 * row["cpu_us_per_frame"]
                    for other in frontier))
            for row in frontier:
                self.assertFalse(any(
                    1.02 * other["latency_us_median"] < row["latency_us_median"] and
                    other["cpu_us_per_frame"] <= row["cpu_us_per_frame"]
                    for other in rows(report, load=load)), "beaten, and on the frontier")

    def test_dim(self):
        report = experiment("dim")
        self.conserved(report)
        off, on = (rows(report, load="datagrams", rx_dim=value) for value in ("off", "on"))
        for without, adaptive in zip(off, on):
            self.assertNotIn("dim", without)
            self.assertLess(adaptive["rx_interrupts"], 0.5 * without["rx_interrupts"])
            self.assertLess(adaptive["cpu_hardirq"], 0.6 * without["cpu_hardirq"])
            self.assertLess(adaptive["cpu0"], without["cpu0"] - 0.03)
            self.assertAlmostEqual(adaptive["delivered_pps"] / without["delivered_pps"], 1,
                                   delta=0.03)
        # The published load: there the CPU was full, and an interrupt was a guest's.
        self.assertEqual([off[-1]["published_cpu"], on[-1]["published_cpu"]], [1, 0.835])
        self.assertAlmostEqual(on[-1]["cpu0"], 0.835, delta=0.1)
        self.assertLess(off[-1]["cpu0"], 1)
        # The less there is to do, the more of it were interrupts.
        self.assertGreater(1 - on[0]["cpu0"] / off[0]["cpu0"],
                           2 * (1 - on[-1]["cpu0"] / off[-1]["cpu0"]))
        changing, = rows(report, load="changing")
        profiles = [step["profile"] for step in changing["dim"]]
        self.assertGreaterEqual(max(profiles), 3)
        self.assertIn(0, profiles[profiles.index(max(profiles)):])

    def test_rss(self):
        report = experiment("rss")
        self.conserved(report)

        def rate(**labels):
            row, = rows(report, **labels)
            return row["delivered_pps"]

        one = rate(part="forward", steering="none", cpus=1)
        many = {"part": "forward", "cpus": 4, "flows": 64}
        # More CPUs are worth nothing while one gets all, and nearly their number with RSS.
        self.assertLess(rate(steering="none", **many), 1.1 * one)
        self.assertGreater(rate(steering="RSS", irq="each its own", **many), 3.3 * one)
        self.assertLess(rate(steering="RSS", irq="all on CPU 0", **many), 1.1 * one)
        # One queue's CPU is where RPS ends.
        self.assertGreater(rate(steering="RPS", **many), 2 * one)
        self.assertLess(rate(steering="RPS", **many), 3 * one)
        # One flow stays on one CPU.
        for steering in ("RSS", "RPS"):
            self.assertLess(rate(part="forward", steering=steering, cpus=4, flows=1), 1.5 * one)
        for steering in ("RPS", "RSS"):
            self.assertGreater(rate(part="local", steering=steering),
                               1.5 * rate(part="local", steering="none"))
        # RFS goes to the reader's CPU: one to be woken and not two.
        rps, rfs = (rows(report, part="one process", steering=s)[0] for s in ("RPS", "RFS"))
        self.assertLess(rfs["latency_us_median"], rps["latency_us_median"] - 2)
        self.assertEqual(rfs["cpu_busy"][2], 0)
        self.assertGreater(rps["cpu_busy"][2], 0.05)
        quiet, busy = (
            {row["irq"]: row for row in rows(report, part="one process", steering="none")
             if (row["offered_pps"] > 500_000) == high} for high in (False, True))
        # Asleep, another CPU has to be woken; busy, two CPUs do more than one.
        self.assertLess(quiet["the process's CPU"]["latency_us_median"],
                        quiet["another CPU"]["latency_us_median"])
        self.assertLess(busy["the process's CPU"]["delivered_pps"],
                        busy["another CPU"]["delivered_pps"])

    def test_bypass(self):
        report = experiment("bypass")
        self.conserved(report)
        napi, poll = (rows(report, way=way) for way in ("napi", "poll"))
        self.assertEqual(poll[-1]["interrupts"], 0)
        self.assertGreater(poll[-1]["delivered_pps"], 1.5 * napi[-1]["delivered_pps"])
        self.assertLess(poll[0]["latency_us_median"], napi[0]["latency_us_median"])
        self.assertGreater(poll[0]["cpu"], 0.99)

    def test_two_runs_are_one(self):
        first, second = (experiment("ring-size", "--seed", "7") for _ in range(2))
        self.assertEqual(first["trace_hash"], second["trace_hash"])
        self.assertEqual(first["points"], second["points"])
        self.assertNotEqual(first["trace_hash"], experiment("ring-size")["trace_hash"])

    def test_a_window_of_the_trace(self):
        trace = self.folder / "trace.txt"
        report = experiment("livelock", "--point", "1", "--trace", trace, "--window", "1000:1100")
        whole = experiment("livelock", "--point", "1", "--no-skip")
        self.assertEqual(report["trace_hash"], whole["trace_hash"])
        lines = [line for line in trace.read_text().splitlines() if line[:1] in " 0123456789"]
        times = [float(line.split()[0]) for line in lines]
        self.assertTrue(times)
        self.assertGreaterEqual(min(times), 21_000_000)
        self.assertLess(max(times), 21_100_000)

    def test_plots_and_results(self):
        done = run("experiment", "ring-size", "--fewer", "--out", self.folder / "out", timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        names = sorted(p.name for p in (self.folder / "out").iterdir())
        self.assertEqual(names, sorted(
            ["ring-size.json"] + [f"ring-size-{plot}.{kind}" for plot in ("loss", "latency")
                                  for kind in ("svg", "png", "gnuplot")]))
        for name in names:
            self.assertGreater((self.folder / "out" / name).stat().st_size, 500)
        self.assertIn("ring-size", run("experiment", "--list").stdout)

    def test_bad_input(self):
        for arguments, expected in (
            (["nothing"], "there are livelock"),
            ([], "--list"),
            (["livelock", "--point", "999"], "the points 0 to"),
            (["livelock", "--trace", "x"], "--point"),
            (["livelock", "--point", "0", "--window", "5:4"], "FROM:TO"),
            (["livelock", "--set", "host.costs=none"], "profiles of the program are"),
            (["livelock", "--set", "host.reveive=napi"], "unknown key"),
        ):
            done = run("experiment", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)


class ProfileTest(Case):
    def test_every_profile_can_be_shown(self):
        names = json.loads(run("profile", "list", "--json").stdout)["profiles"]
        self.assertIn("pentium2-2001", names)
        for name in names:
            costs = json.loads(run("profile", "show", name, "--json").stdout)["costs"]
            self.assertTrue(all(cost["source"] for cost in costs.values()))

    def test_what_is_measured_can_be_used(self):
        path = self.folder / "mine.toml"
        done = run("profile", "measure", "--out", path, "--name", "mine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("measured:", path.read_text())
        costs = json.loads(run("profile", "show", path, "--json").stdout)
        self.assertEqual(costs["name"], "mine")
        self.assertGreater(costs["costs"]["syscall_entry"]["ns"], 5)

    def test_a_profile_is_held_against_what_was_published(self):
        done = run("profile", "check", "server-2020", "--json", timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        checks = json.loads(done.stdout)["checks"]
        self.assertEqual(len(checks), 5)
        for check in checks:
            self.assertGreater(check["predicted"], 0)
        # A register read a frame: what is left when the bus takes twice as long.
        self.assertAlmostEqual(checks[-1]["predicted"], checks[-1]["published"], delta=0.05)

    def test_unknown_profiles(self):
        for command in ("show", "check"):
            done = run("profile", command, "nothing")
            self.assertEqual(done.returncode, 2)
            self.assertIn("profiles of the program are", done.stderr)
        self.assertEqual(run("profile", "check", "default").returncode, 2)


if __name__ == "__main__":
    program.main()
