#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the random cosimulation on models that count lines and toggles, and reports both kinds of
# coverage: of the features (crosses) and of the RTL.
#
#   coverage.sh BUILD_FOLDER JOBS [FRAMES]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 jobs=$2 frames=${3:-6000}
out=out/coverage

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNICROSCOPE_COVERAGE=ON \
  "-DNICROSCOPE_MODELS=edge10_checked;dc25_checked" > /dev/null
cmake --build "$build" -j "$jobs" --target cosim_random_test
rm -rf "$out"
mkdir -p "$out"
NICROSCOPE_COVERAGE_DIR=$out "$build/tests/cosim/cosim_random_test" --profile=edge10,dc25 \
  --frames="$frames" --seeds=8 --gtest_filter=*GoldenModels --coverage="$out/functional.json"
scripts/coverage.py "$out"
verilator_coverage --annotate "$out/annotated" --annotate-min 1 "$out"/*.dat > /dev/null
echo "annotated sources: $out/annotated"
