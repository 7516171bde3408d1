#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what can be checked without running anything: the RTL of every profile in Verilator (-Wall)
# and Yosys (a warning fails), the C++ format, the licence lines, the scripts, the generated files.
#   lint.sh            all of it
#   lint.sh rtl        the RTL alone
#   lint.sh --format   formats the C++ sources in place
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

failed=0
fail() {
  echo "lint: $*" >&2
  failed=1
}

sources() { git ls-files --cached --others --exclude-standard -- "$@"; }

if [[ ${1:-} == --format ]]; then
  sources '*.cpp' '*.h' | xargs -r clang-format-14 -i
  exit
fi

# <profile>_top, <profile>_parameters from the generated list
profile_value() {
  awk -v name="NICROSCOPE_$1_$2" '
    $0 ~ "^set\\(" name "( |$)" { on = 1; sub("^set\\([^ ]* ?", "") }
    on { end = /\)/; gsub(/[()]/, ""); printf "%s ", $0; if (end) exit }
  ' cmake/profiles.cmake
}

lint_rtl() {
  local profile top files parameters output
  for profile in edge10 dc25 dc100; do
    top=$(profile_value "$profile" TOP)
    top=${top// /}
    if ! files=$(scripts/rtl.py files "$top"); then
      fail "$profile: the RTL is not complete"
      continue
    fi
    read -ra parameters <<< "$(profile_value "$profile" PARAMETERS)"
    # shellcheck disable=SC2086
    if ! verilator --lint-only -Wall --no-timing -sv lint/verilator.vlt $files \
      --top-module "$top" "${parameters[@]/#/-G}"; then
      fail "$profile: verilator"
    fi
    local chparam=()
    for parameter in "${parameters[@]}"; do
      chparam+=(-set "${parameter%%=*}" "${parameter#*=}")
    done
    output=$(yosys -Q -q -p "read_verilog -sv -DSYNTHESIS ${files//$'\n'/ }
      chparam ${chparam[*]} $top
      hierarchy -check -top $top
      proc
      check -assert" 2>&1)
    # shellcheck disable=SC2181
    if [[ $? -ne 0 || $output == *[Ww]arning* ]]; then
      echo "$output" >&2
      fail "$profile: yosys"
    fi
    [[ $failed -ne 0 ]] || echo "lint: $profile ($top) is clean in verilator and yosys"
  done
}

lint_text() {
  local file
  sources '*.cpp' '*.h' | xargs -r clang-format-14 --dry-run -Werror || fail "format: make format"
  while read -r file; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || fail "no licence: $file"
  done < <(sources '*.cpp' '*.h' '*.sv' '*.vlt' '*.py' '*.sh' '*.cmake' '*CMakeLists.txt' \
    '*.toml' '*.ys' Makefile .ci/run)
  while read -r file; do
    awk -v file="$file" 'length > 110 { print file ":" FNR ": over 110 columns"; bad = 1 }
      END { if (FNR > 600) { print file ": over 600 lines"; bad = 1 } exit bad }' "$file" ||
      fail "size: $file"
  done < <(sources '*.cpp' '*.sv' '*.py' '*.sh')
  sources '*.py' | while read -r file; do
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || exit 1
  done || fail "python"
  while read -r file; do bash -n "$file" || fail "shell: $file"; done < <(sources '*.sh' .ci/run)
  scripts/generate.py --check || fail "generated files"
}

lint_rtl
[[ ${1:-} == rtl ]] || lint_text
if [[ $failed -eq 0 ]]; then echo "lint: clean"; fi
exit "$failed"
