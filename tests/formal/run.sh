#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Proves cells and modules with yosys-smtbmc. docs/formal.md says what is proved.
#
#   tests/formal/run.sh [--all] [CELL...]   every proof of proofs.txt: the properties from any state
#                                           (induction), from reset for as many cycles (base case), every
#                                           cover reached; then the proofs of idle.txt. --all: those
#                                           marked slow too. CELL: only of these
#   tests/formal/run.sh --mutants [CELL...] breaks each cell on purpose, as mutants.txt and idle.txt say;
#                                           every break has to be found
#
# SOLVER names the solver (z3); KEEP=1 keeps the working directory. A line for each step, then
# `N passed, N failed`; the exit status is 1 if any failed.

set -u
cd "$(dirname "$0")/../.." || exit 2

solver=${SOLVER:-z3}
for tool in yosys yosys-smtbmc "$solver"; do
  if ! command -v "$tool" > /dev/null; then
    echo "run.sh: $tool is missing: 'make setup' installs what the proofs need" >&2
    exit 2
  fi
done

all=0
mutate=0
cells=()
for argument in "$@"; do
  case $argument in
    --all) all=1 ;;
    --mutants) mutate=1 ;;
    -*) echo "run.sh: unknown argument '$argument': --all, --mutants or cells are accepted" >&2
        exit 2 ;;
    *) if ! grep -qE "^$argument[ @]" tests/formal/{proofs,idle}.txt; then
         echo "run.sh: '$argument' is not a cell of proofs.txt or idle.txt" >&2
         exit 2
       fi
       cells+=("$argument") ;;
  esac
done

work=$(mktemp -d)
[ "${KEEP:-0}" = 1 ] && echo "working directory $work" || trap 'rm -rf "$work"' EXIT

passed=0
failed=0
limit=600                           # seconds of CPU for a question to the solver
[ "$all" = 1 ] && limit=3600

# chosen CELL: it was asked for, or nothing was.
chosen() {
  [ ${#cells[@]} = 0 ] && return 0
  local cell
  for cell in "${cells[@]}"; do
    [ "$cell" = "$1" ] && return 0
  done
  return 1
}

# lines FILE: without comments.
lines() { grep -v '^#' "tests/formal/$1.txt"; }

# model CELL PARAMETERS RTL_ROOT OUTPUT: the cell in its harness, as SMT.
model() {
  local folder="" name=${1##*/} parameters="" parameter
  if [ "$2" != - ]; then
    for parameter in ${2//,/ }; do
      parameters+=" -chparam ${parameter%%=*} ${parameter##*=}"
    done
  fi
  [ "$name" = "$1" ] || folder="$3/${1%/*}/*.sv"
  yosys -q -p "
    read_verilog -sv -formal -D OPEN_CLOCK_GATES $3/nic_pkg.sv $3/virtio_pkg.sv $folder \
      $3/lib/*.sv tests/formal/${name}_formal.sv
    hierarchy -check -top ${name}_formal $parameters
    proc; opt_clean; memory_map; opt_clean; flatten; opt -fast; dffunmap; opt_clean
    write_smt2 -wires $4" > "$4.log" 2>&1
}

# Unrolled, because z3 takes for ever over the nested definitions of a memory.
smt() { (ulimit -t "$limit" && yosys-smtbmc --unroll -s "$solver" "$@") > "$work/smt.log" 2>&1; }

# The solver answered, and the answer is no; a time-out or a crash is no answer.
refuted() { ! smt "$@" && grep -q 'Status: FAILED' "$work/smt.log"; }

# verdict STATUS TEXT
verdict() {
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
    echo "PASS  $2"
  else
    failed=$((failed + 1))
    echo "FAIL  $2"
  fi
}

# prove CELL PARAMETERS INDUCTION COVERS BASE
prove() {
  local smt2=$work/${1##*/}.$2.smt2
  if ! model "$1" "$2" rtl "$smt2"; then
    cat "$smt2.log"
    verdict 1 "$1 $2: elaboration"
    return
  fi
  smt -t "$5" "$smt2"
  verdict $? "$1 $2: every property for $5 cycles from reset"
  if [ "$3" != - ]; then
    smt -i -t "$3" "$smt2"
    verdict $? "$1 $2: every property for ever, by induction over $3 cycles"
  fi
  smt -c -t "$4" "$smt2"
  verdict $? "$1 $2: every cover reached within $4 cycles"
}

# rest CELL PARAMETERS RTL_ROOT QUIET FACTS DEADLINE: what idle_o of the cell promises, to $work/idle.log.
rest() {
  local name=${1##*/} parameters="" parameter files
  if [ "$2" != - ]; then
    for parameter in ${2//,/ }; do
      parameters+=" -chparam ${parameter%%=*} ${parameter##*=}"
    done
  fi
  files=$(ls "$3"/*_pkg.sv "$3"/*/*_pkg.sv && ls "$3"/*/*.sv | grep -v _pkg.sv)
  yosys -q -p "
    read_verilog -sv -D SYNTHESIS $(echo $files)
    hierarchy -check -top $name $parameters
    setattr -mod -unset keep_hierarchy *; proc; opt_clean; flatten; memory -nordff -nomap
    opt -fast; dffunmap; setundef -anyseq; opt_clean; rename -top $name
    write_smt2 -wires $work/idle.smt2" > "$work/idle.log" 2>&1 || return 2
  tests/formal/idle.py "$work/idle.smt2" "$name" "$4" "$5" "$6" "$solver" > "$work/idle.log" 2>&1
}

# replace FILE FROM TO: the first FROM behind the ports.
replace() {
  FROM="$2" TO="$3" python3 - "$1" << 'PYTHON'
import os, sys
path = sys.argv[1]
text = open(path).read()
old = os.environ["FROM"]
head, body = text.split("\n);\n", 1)
if old not in body:
    sys.exit(f"{path}: the mutant's text is gone: {old}")
open(path, "w").write(head + "\n);\n" + body.replace(old, os.environ["TO"], 1))
PYTHON
}

# break_cell CELL FROM TO: in a copy of the RTL.
break_cell() {
  rm -rf "$work/rtl"
  cp -r rtl "$work/rtl"
  local file=$work/rtl/$1.sv
  [ "${1##*/}" = "$1" ] && file=$work/rtl/lib/$1.sv
  replace "$file" "$2" "$3"
}

# mutant CELL PARAMETERS FROM TO: one of the proof's properties fails from reset.
mutant() {
  local cycles
  cycles=$(lines proofs | awk -v c="$1" -v p="$2" '$1 == c && $2 == p { print $4 }')
  if [ -z "$cycles" ]; then
    verdict 1 "mutant of $1 $2: no such proof"
  elif ! break_cell "$1" "$3" "$4"; then
    verdict 1 "mutant of $1: $3"
  elif ! model "$1" "$2" "$work/rtl" "$work/mutant.smt2"; then
    verdict 1 "mutant of $1 does not elaborate: $3 -> $4"
  elif refuted -t "$cycles" "$work/mutant.smt2" || refuted -c -t "$cycles" "$work/mutant.smt2"; then
    verdict 0 "mutant of $1 found: $3 -> $4"
  else
    verdict 1 "mutant of $1 lives: $3 -> $4"
  fi
}

# idle_mutant CELL PARAMETERS FROM TO: the promise of its idle_o fails.
idle_mutant() {
  local quiet facts deadline
  read -r quiet facts deadline < <(lines idle | awk -v c="$1" -v p="$2" '$1 == c && $2 == p {
    print $3, $4, $5 }')
  if ! break_cell "$1" "$3" "$4"; then
    verdict 1 "mutant of $1's idle_o: $3"
    return
  fi
  rest "$1" "$2" "$work/rtl" "$quiet" "$facts" "$deadline"
  [ $? = 1 ] && grep -q '^FAIL' "$work/idle.log"
  verdict $? "mutant of $1's idle_o found: $3 -> $4"
}

if [ "$mutate" = 1 ]; then
  while IFS=@ read -r cell parameters from to; do
    chosen "${cell#idle:}" || continue
    case $cell in
      idle:*) idle_mutant "${cell#idle:}" "$parameters" "$from" "$to" ;;
      *) mutant "$cell" "$parameters" "$from" "$to" ;;
    esac
  done < <(lines mutants)
else
  while read -r cell parameters induction covers base slow; do
    chosen "$cell" || continue
    [ -n "$slow" ] && [ "$all" = 0 ] && continue
    prove "$cell" "$parameters" "$induction" "$covers" "$base"
  done < <(lines proofs)
  while read -r cell parameters quiet facts deadline; do
    chosen "$cell" || continue
    rest "$cell" "$parameters" rtl "$quiet" "$facts" "$deadline"
    status=$?
    grep '^PASS' "$work/idle.log"
    passed=$((passed + $(grep -c '^PASS' "$work/idle.log")))
    [ "$status" = 0 ] && continue
    grep -v '^PASS' "$work/idle.log"
    failed=$((failed + 1))
  done < <(lines idle)
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
