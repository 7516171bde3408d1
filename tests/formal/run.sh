#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Proves cells and modules with yosys-smtbmc.
#
#   tests/formal/run.sh             every proof: the properties from any state (induction), from reset
#                                   for as many cycles (base case), and every cover reached
#   tests/formal/run.sh --mutants   breaks each cell on purpose; every break has to be found
#
# SOLVER names the solver (z3); KEEP=1 keeps the working directory. A line for each proof, then
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

work=$(mktemp -d)
[ "${KEEP:-0}" = 1 ] && echo "working directory $work" || trap 'rm -rf "$work"' EXIT

passed=0
failed=0

# Each proof: cell (in rtl/lib, or folder/cell), parameter or -, cycles of the induction, of the covers,
# and of the base case where it has fewer than the covers.
proofs=(
  "fifo Depth=3 4 20"
  "fifo Depth=4 4 20"
  "fifo_ram Depth=3 4 20"
  "fifo_ram Depth=4 4 20"
  "skid_buffer Width=4 4 20"
  "arbiter_rr N=3 4 20"
  "arbiter_rr N=4 4 20"
  "arbiter_rr N=5 4 20"
  "host/axil_slave AddrWidth=4 4 20 12"
  "host/msix NumVectors=2 3 12 6"
  "host/event_counts Counters=3 4 20"
  "host/event_counts Counters=5 4 20 12"
  "mac/mac_pause - 4 20"
  "rx/rx_plan MaxSegments=3 4 20 6"
  "virtqueue/vq_moderation Queues=2 2 10 6"
)

# Each mutant: cell, parameter or -, what is replaced (where it comes first behind the ports), by what.
mutants=(
  "fifo@Depth=3@wr_ptr_q == LastPtr@wr_ptr_q == LastPtr - 1'b1"
  "fifo@Depth=3@full_q  <= count_q == CountWidth'(Depth - 1)@full_q  <= count_q == CountWidth'(Depth)"
  "fifo@Depth=3@valid_q <= count_q != CountWidth'(1)@valid_q <= 1'b1"
  "fifo@Depth=4@assign pop  = rd_ready_i && valid_q@assign pop  = rd_ready_i"
  "fifo@Depth=4@full_q  <= 1'b0;@full_q  <= full_q;"
  "fifo_ram@Depth=3@rd_ready_i || !valid_q@1'b1"
  "fifo_ram@Depth=3@valid_q  <= fetch || @valid_q  <= fetch && "
  "fifo_ram@Depth=4@> CountWidth'(fetch)@>= CountWidth'(fetch)"
  "fifo_ram@Depth=4@stored_q && (rd_ready_i || !valid_q)@stored_q && !valid_q"
  "skid_buffer@Width=4@if (skid_valid_q) begin@if (!in_valid_i) begin"
  "skid_buffer@Width=4@in_valid_i && !skid_valid_q@in_valid_i"
  "skid_buffer@Width=4@out_valid_q  <= skid_valid_q || in_valid_i@out_valid_q  <= in_valid_i"
  "skid_buffer@Width=4@assign out_free = out_ready_i || !out_valid_q@assign out_free = !out_valid_q"
  "arbiter_rr@N=4@preferred != '0@preferred == '0"
  "arbiter_rr@N=4@~(grant_o | (grant_o - 1'b1))@~(grant_o - 1'b1)"
  "arbiter_rr@N=4@candidates & (~candidates + 1'b1)@candidates"
  "arbiter_rr@N=3@grant_index_o | IndexWidth'(i)@IndexWidth'(i) + 1'b1"
  "host/axil_slave@AddrWidth=4@ar_full_q && !r_valid_q && !start_write@ar_full_q && !start_write"
  "host/axil_slave@AddrWidth=4@(b_valid_q && !s_axil_bready_i)@(b_valid_q && s_axil_bready_i)"
  "host/axil_slave@AddrWidth=4@aw_full_q && w_full_q && !b_valid_q@aw_full_q && w_full_q"
  "host/axil_slave@AddrWidth=4@if (!w_full_q) begin@if (!aw_full_q) begin"
  "host/msix@NumVectors=2@control_wdata_q[33] <= 1'b1@control_wdata_q[33] <= pending"
  "host/msix@NumVectors=2@wants_send = deliver && !masked@wants_send = deliver"
  "host/event_counts@Counters=3@carry  = bit0_q & carry@carry  = bit0_q"
  "host/event_counts@Counters=3@count_q <= count_q + 1'b1@count_q <= count_q + 6'd3"
  "host/event_counts@Counters=3@+ 7'(count_i[turn_i])@+ 7'd0"
  "mac/mac_pause@-@!(ready_i && hold)@!hold"
  "mac/mac_pause@-@timer_q <= timer_q - 1'b1@timer_q <= timer_q - 2'd2"
  "mac/mac_pause@-@want != told_q@want && !told_q"
  "mac/mac_pause@-@told_q    <= want@told_q    <= 1'b1"
  "rx/rx_plan@MaxSegments=3@holds ? left : desc_i.len[LenWidth-1:0]@left"
  "rx/rx_plan@MaxSegments=3@plan_buffers_o  = buffers_q + 1'b1@plan_buffers_o  = buffers_q"
  "rx/rx_plan@MaxSegments=3@buf_ndesc_q <= (chain_end || give_up) ? '0@buf_ndesc_q <= give_up ? '0"
  "rx/rx_plan@MaxSegments=3@!stop_i && !plan_valid_o && !reset@!stop_i && !reset"
  "rx/rx_plan@MaxSegments=3@segments_q == CountWidth'(MaxSegments) && left != '0@left == '1"
  "virtqueue/vq_moderation@Queues=2@nearer[TimeWidth-1]@1'b0"
  "virtqueue/vq_moderation@Queues=2@count == '0 && brief@count == '0 && 1'b0"
  "virtqueue/vq_moderation@Queues=2@timed       = cycles != '0 && count == '0@timed       = 1'b0"
  "virtqueue/vq_moderation@Queues=2@push        = 1'b1@push        = 1'b0"
)

# model CELL PARAMS RTL_ROOT OUTPUT: the cell in its harness, as SMT.
model() {
  local folder="" name=${1##*/} parameter=""
  [ "$2" = - ] || parameter="-chparam ${2%%=*} ${2##*=}"
  [ "$name" = "$1" ] || folder="$3/nic_pkg.sv $3/virtio_pkg.sv $3/${1%/*}/*.sv"
  yosys -q -p "
    read_verilog -sv -formal $folder $3/lib/*.sv tests/formal/${name}_formal.sv
    hierarchy -check -top ${name}_formal $parameter
    proc; opt_clean; memory_map; opt_clean; flatten; opt -fast; dffunmap; opt_clean
    write_smt2 -wires $4" > "$4.log" 2>&1
}

# Unrolled, because z3 takes for ever over the nested definitions of a memory.
smt() { timeout 120 yosys-smtbmc --unroll -s "$solver" "$@" > "$work/smt.log" 2>&1; }

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

if [ "${1:-}" = --mutants ]; then
  for mutant in "${mutants[@]}"; do
    IFS=@ read -r cell parameters from to <<< "$mutant"
    rm -rf "$work/rtl"
    cp -r rtl "$work/rtl"
    file=$work/rtl/lib/$cell.sv
    [ "${cell##*/}" = "$cell" ] || file=$work/rtl/$cell.sv
    FROM="$from" TO="$to" python3 - "$file" << 'PYTHON'
import os, sys
path = sys.argv[1]
text = open(path).read()
old = os.environ["FROM"]
head, body = text.split("\n);\n", 1)
if old not in body:
    sys.exit(f"{path}: the mutant's text is gone: {old}")
open(path, "w").write(head + "\n);\n" + body.replace(old, os.environ["TO"], 1))
PYTHON
    [ $? = 0 ] || { verdict 1 "mutant of $cell: $from"; continue; }
    if ! model "$cell" "$parameters" "$work/rtl" "$work/mutant.smt2"; then
      verdict 1 "mutant of $cell does not elaborate: $from -> $to"
      continue
    fi
    if refuted -t 20 "$work/mutant.smt2" || refuted -c -t 20 "$work/mutant.smt2"; then
      verdict 0 "mutant of $cell found: $from -> $to"
    else
      verdict 1 "mutant of $cell lives: $from -> $to"
    fi
  done
elif [ $# -gt 0 ]; then
  echo "run.sh: unknown argument '$1': nothing or --mutants is accepted" >&2
  exit 2
else
  for proof in "${proofs[@]}"; do
    read -r cell parameters depth cover base <<< "$proof"
    base=${base:-$cover}
    smt2=$work/${cell##*/}.$parameters.smt2
    if ! model "$cell" "$parameters" rtl "$smt2"; then
      cat "$smt2.log"
      verdict 1 "$cell $parameters: elaboration"
      continue
    fi
    smt -t "$base" "$smt2"
    verdict $? "$cell $parameters: every property for $base cycles from reset"
    smt -i -t "$depth" "$smt2"
    verdict $? "$cell $parameters: every property for ever, by induction over $depth cycles"
    smt -c -t "$cover" "$smt2"
    verdict $? "$cell $parameters: every cover reached within $cover cycles"
  done
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
