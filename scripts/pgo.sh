#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds nicroscope twice: instrumented, to see on a short benchmark which ways the code takes, and
# again with what was seen. Both builds are in the one folder, since the profile names its objects.
#   pgo.sh FOLDER JOBS PROFILE TRAINING...     TRAINING are nicroscope's arguments for the first build
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1 jobs=$2 profile=$3
shift 3
options=(-S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release
  "-DNICROSCOPE_MODELS=${profile}_fast")
rm -rf "$folder/pgo"
cmake "${options[@]}" -DNICROSCOPE_PGO=generate > /dev/null
cmake --build "$folder" -j "$jobs" --target nicroscope
echo "pgo: training with nicroscope $*"
"$folder/nicroscope" "$@" > /dev/null
cmake "${options[@]}" -DNICROSCOPE_PGO=use > /dev/null
cmake --build "$folder" -j "$jobs" --target nicroscope
echo "pgo: $folder/nicroscope is built with its profile"
