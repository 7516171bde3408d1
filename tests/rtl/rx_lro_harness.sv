// SPDX-License-Identifier: Apache-2.0
//
// rx_lro_harness: rx_lro and rx_join with their structs taken apart, for tests. What comes out of rx_lro
// goes to the test, which gives it to rx_join when it likes (queue_*, whose order is its own).

module rx_lro_harness #(
  parameter int unsigned AxiBytes = 16,
  parameter int unsigned Queues = 4,
  parameter int unsigned Flows = 16,
  parameter int unsigned Frames = 512,
  parameter int unsigned LroCycles = 5000,
  localparam int unsigned StoreBytes = 65536,
  localparam int unsigned WordsWidth = $clog2(StoreBytes / AxiBytes) + 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  input  logic [63:0]           now_i,
  input  logic                  lro4_i,
  input  logic                  lro6_i,
  input  logic                  hurry_i,
  input  logic                  flush_i,
  input  logic                  pressure_i,
  input  logic [9:0]            oldest_i,
  output logic [63:0]           deadline_o,
  output logic                  wake_o,
  output logic                  empty_o,
  output logic                  idle_o,
  output logic                  merged_o,

  input  logic                  rec_valid_i,
  output logic                  rec_ready_o,
  input  logic [9:0]            rec_slot_i,
  input  logic [15:0]           rec_len_i,
  input  logic [31:0]           rec_tag_i,

  input  logic                  info_valid_i,
  output logic                  info_ready_o,
  input  logic [31:0]           hash_i,
  input  logic [3:0]            hash_report_i,
  input  logic [31:0]           flow_i,
  input  logic [15:0]           symmetric_i,
  input  logic                  csum_ok_i,
  input  logic                  tcp_i,
  input  logic                  lro_i,
  input  logic                  ip6_i,
  input  logic [6:0]            l3_i,
  input  logic [6:0]            l4_i,
  input  logic [6:0]            payload_i,
  input  logic [15:0]           payload_len_i,
  input  logic [31:0]           seq_i,
  input  logic [7:0]            tcp_flags_i,
  input  logic [15:0]           pseudo_i,
  output logic [3:0]            hdr_addr_o,
  input  logic [63:0]           hdr_data_i,

  input  logic                  cls_valid_i,
  output logic                  cls_ready_o,
  input  logic                  cls_drop_i,
  input  logic [1:0]            cls_queue_i,

  output logic                  frame_valid_o,
  input  logic                  frame_ready_i,
  output logic [182:0]          frame_o,
  output logic [1:0]            frame_queue_o,
  output logic [31:0]           frame_tag_o,
  output logic [15:0]           frame_len_o,
  output logic [9:0]            frame_slot_o,
  output logic [31:0]           frame_hash_o,
  output logic [3:0]            frame_hash_report_o,
  output logic                  frame_csum_ok_o,
  output logic                  frame_gso_o,
  output logic                  frame_ip6_o,
  output logic [15:0]           frame_gso_size_o,
  output logic [6:0]            frame_csum_start_o,
  output logic [6:0]            frame_hdr_len_o,

  output logic                  drop_valid_o,
  input  logic                  drop_ready_i,
  output logic [9:0]            drop_slot_o,

  input  logic                  job_valid_i,
  output logic                  job_ready_o,
  input  logic [182:0]          job_frame_i,
  input  logic                  job_drop_i,
  output logic                  join_idle_o,

  output logic                  read_valid_o,
  input  logic                  read_ready_i,
  output logic [9:0]            read_slot_o,
  output logic [WordsWidth-1:0] read_first_o,
  output logic [WordsWidth-1:0] read_words_o,
  input  logic                  word_valid_i,
  output logic                  word_ready_o,
  input  logic [8*AxiBytes-1:0] word_data_i,

  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [8*AxiBytes-1:0] out_data_o,

  output logic                  free_valid_o,
  input  logic                  free_ready_i,
  output logic [9:0]            free_slot_o
);

  nic_pkg::rx_info_t  info;
  nic_pkg::rx_frame_t frame;
  logic               link_re;
  logic [9:0]         link_slot, link_next;

  always_comb begin
    info             = '0;
    info.hash        = hash_i;
    info.hash_report = hash_report_i;
    info.flow        = flow_i;
    info.symmetric   = symmetric_i;
    info.csum_ok     = csum_ok_i;
    info.tcp         = tcp_i;
    info.lro         = lro_i;
    info.ip6         = ip6_i;
    info.l3          = l3_i;
    info.l4          = l4_i;
    info.payload     = payload_i;
    info.payload_len = payload_len_i;
    info.seq         = seq_i;
    info.tcp_flags   = tcp_flags_i;
    info.pseudo      = pseudo_i;
  end

  rx_lro #(
    .Queues   (Queues),
    .Flows    (Flows),
    .Frames   (Frames),
    .LroCycles(LroCycles)
  ) u_lro (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .now_i        (now_i),
    .lro4_i       (lro4_i),
    .lro6_i       (lro6_i),
    .hurry_i      (hurry_i),
    .flush_i      (flush_i),
    .pressure_i   (pressure_i),
    .oldest_i     (oldest_i),
    .deadline_o   (deadline_o),
    .wake_o       (wake_o),
    .empty_o      (empty_o),
    .idle_o       (idle_o),
    .merged_o     (merged_o),
    .rec_valid_i  (rec_valid_i),
    .rec_ready_o  (rec_ready_o),
    .rec_slot_i   (rec_slot_i),
    .rec_len_i    (rec_len_i),
    .rec_tag_i    (rec_tag_i),
    .info_valid_i (info_valid_i),
    .info_ready_o (info_ready_o),
    .info_i       (info),
    .hdr_addr_o   (hdr_addr_o),
    .hdr_data_i   (hdr_data_i),
    .cls_valid_i  (cls_valid_i),
    .cls_ready_o  (cls_ready_o),
    .cls_drop_i   (cls_drop_i),
    .cls_queue_i  (cls_queue_i),
    .frame_valid_o(frame_valid_o),
    .frame_ready_i(frame_ready_i),
    .frame_o      (frame),
    .frame_queue_o(frame_queue_o),
    .frame_tag_o  (frame_tag_o),
    .free_valid_o (drop_valid_o),
    .free_ready_i (drop_ready_i),
    .free_slot_o  (drop_slot_o),
    .link_re_i    (link_re),
    .link_slot_i  (link_slot),
    .link_next_o  (link_next)
  );

  assign frame_o             = frame;
  assign frame_len_o         = frame.len;
  assign frame_slot_o        = frame.slot;
  assign frame_hash_o        = frame.hash;
  assign frame_hash_report_o = frame.hash_report;
  assign frame_csum_ok_o     = frame.csum_ok;
  assign frame_gso_o         = frame.gso;
  assign frame_ip6_o         = frame.ip6;
  assign frame_gso_size_o    = frame.gso_size;
  assign frame_csum_start_o  = frame.csum_start;
  assign frame_hdr_len_o     = frame.hdr_len;

  rx_join #(
    .AxiBytes  (AxiBytes),
    .StoreBytes(StoreBytes)
  ) u_join (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .idle_o      (join_idle_o),
    .job_valid_i (job_valid_i),
    .job_ready_o (job_ready_o),
    .job_frame_i (job_frame_i),
    .job_drop_i  (job_drop_i),
    .link_re_o   (link_re),
    .link_slot_o (link_slot),
    .link_next_i (link_next),
    .read_valid_o(read_valid_o),
    .read_ready_i(read_ready_i),
    .read_slot_o (read_slot_o),
    .read_first_o(read_first_o),
    .read_words_o(read_words_o),
    .word_valid_i(word_valid_i),
    .word_ready_o(word_ready_o),
    .word_data_i (word_data_i),
    .out_valid_o (out_valid_o),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data_o),
    .free_valid_o(free_valid_o),
    .free_ready_i(free_ready_i),
    .free_slot_o (free_slot_o)
  );

endmodule
