# SPDX-License-Identifier: Apache-2.0
# The front door: every job of the project by its name. `make` alone lists them.

BUILD ?= build
JOBS ?= $(shell nproc)
TYPE ?= Release
CMAKE_OPTIONS ?=
NICROSCOPE = $(BUILD)/nicroscope

.DEFAULT_GOAL := help
.PHONY: help setup configure build run test nightly linux coverage lint format formal synth bench pgo \
	wave docs clean

help: ## list what can be made
	@echo "nicroscope: a virtio network card in SystemVerilog and the machine around it"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done
	@echo
	@echo "  BUILD=$(BUILD) (folder), JOBS=$(JOBS), TYPE=$(TYPE), CMAKE_OPTIONS=... can be set"

setup: ## install what is missing on Debian or Ubuntu (does nothing if all is there)
	@scripts/setup.sh

configure: setup
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(TYPE) $(CMAKE_OPTIONS) > $(BUILD).log 2>&1 \
		|| { cat $(BUILD).log; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

build: configure ## build everything, run nothing
	@cmake --build $(BUILD) -j $(JOBS)

run: build ## put the shipped capture through the whole machine and show what happened
	@scripts/run.sh $(BUILD)

test: build ## build everything and run all tests
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

nightly: build ## a million frames at random (FRAMES=, SEED=), hostile clients, every proof and mutant
	@mkdir -p out
	@$(BUILD)/tests/cosim/cosim_random_test --frames=$(FRAMES) --seed=$(SEED) --seeds=400 \
		--coverage=out/nightly.json
	@ASAN_OPTIONS=detect_container_overflow=0 \
		$(BUILD)/tests/fuzz/fuzz_vhost_user --messages 1000000 --seed=$(SEED)
	@tests/formal/run.sh --all
	@tests/formal/run.sh --mutants

FRAMES ?= 1000000
SEED ?= 1000

linux: setup ## build the kernel and the root file system of `nicroscope linux` guests (once)
	@scripts/linux.sh

coverage: setup ## which features, lines and bits a short random run reaches, to out/coverage
	@scripts/coverage.sh $(BUILD)-coverage $(JOBS)

lint: setup ## check the RTL (Verilator, Yosys), the format and the licence lines
	@scripts/lint.sh

format: setup ## format the C++ sources in place
	@scripts/lint.sh --format

formal: setup ## prove the properties in tests/formal
	@tests/formal/run.sh

synth: setup ## synthesise for FPGAs: cost by module (all profiles, or PROFILE=...)
	@scripts/synth.py $(if $(filter command,$(firstword $(origin PROFILE))),$(PROFILE),edge10 dc25 dc100 dc100x256)

PROFILE ?= edge10

bench: build pgo linux ## measure throughput, the simulation's speed, and Linux guests
	@$(NICROSCOPE) bench rtl --profile $(PROFILE)
	@echo
	@$(NICROSCOPE) bench sim --profile $(PROFILE)
	@echo
	@echo "The same, built with its profile:"
	@$(BUILD)-pgo/nicroscope bench sim --profile $(PROFILE)
	@echo
	@$(NICROSCOPE) bench linux

pgo: setup ## build nicroscope with profile-guided optimisation, in build-pgo
	@scripts/pgo.sh $(BUILD)-pgo $(JOBS) $(PROFILE) bench sim --profile $(PROFILE) --seconds 1

wave: build ## write a waveform of the shipped capture's first frames to out/
	@mkdir -p out
	@$(NICROSCOPE) replay tests/data/first_light.pcap --limit 40 --wave out/first_light.fst
	@echo "open it with: gtkwave out/first_light.fst"

docs: ## make the generated reference again
	@scripts/generate.py

clean: ## remove what was built
	rm -rf $(BUILD) out
