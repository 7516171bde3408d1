// SPDX-License-Identifier: Apache-2.0
// Types shared by the blocks of the NIC. Constants of the register map, feature bits, counters and
// trace points are in virtio_pkg, which is generated from registers.toml.
package nic_pkg;

  // Length of a DMA request in bytes; a virtio descriptor longer than 64 KiB is refused before it.
  localparam int unsigned LenWidth = 17;

  // A packed virtqueue descriptor as it lies in memory (virtio 1.2, 2.8.13), little-endian:
  //   byte 0        8      12   14    16
  //        | addr   | len  | id | flags |
  typedef struct packed {
    logic [15:0] flags;
    logic [15:0] id;
    logic [31:0] len;
    logic [63:0] addr;
  } desc_t;
  localparam int unsigned DescWidth = 128;

  // What the datapath returns for a buffer. `ndesc` is the number of ring slots that the buffer's
  // chain took. `first` and `last` mark a group that must become visible to the driver as a whole
  // (a received frame over several merged buffers); a single buffer has both.
  typedef struct packed {
    logic        last;
    logic        first;
    logic [15:0] ndesc;
    logic [15:0] id;
    logic [31:0] len;
  } used_t;
  localparam int unsigned UsedWidth = 66;

  // Why a queue stopped; the vendor page shows the record (registers.toml, error codes).
  typedef struct packed {
    logic [7:0]  code;
    logic [15:0] queue;   // virtqueue index
    logic [15:0] index;   // ring slot of the offending descriptor
    logic [63:0] addr;    // offending bus address, 0 where none
  } vq_error_t;
  localparam int unsigned ErrorWidth = 104;

  // Settings of the receive path, from the control virtqueue and the features. Names are those of
  // virtio 1.2, 5.1.6.5.
  typedef struct packed {
    logic        promisc;
    logic        allmulti;
    logic        alluni;
    logic        nomulti;
    logic        nouni;
    logic        nobcast;
    logic        vlan_filter;      // frames with a tag need their VLAN in the table
    logic        mac_overflow;     // more unicast addresses were asked for than the table holds
    logic        multi_overflow;   // more multicast addresses
    logic [47:0] mac;              // station address, first byte on the wire in bits 47:40
    logic        rss;              // steer by hash and table; else by flow (automatic steering)
    logic [8:0]  hash_types;       // bit numbers virtio_pkg::HashType*
    logic [6:0]  rss_mask;         // indirection table entries, less one
    logic [15:0] rss_unclassified; // queue pair of frames without a hash
    logic [15:0] pairs;            // queue pairs in use, 1 or more
    logic        csum;             // GUEST_CSUM: verdicts are reported
    logic        lro4;             // GUEST_TSO4 and GUEST_TSO6: coalesce
    logic        lro6;
    logic        hash_report;      // the header has the hash in it, 20 bytes
    logic        mrg_rxbuf;        // frames may take several buffers
  } rx_config_t;

  // A write into one of the tables that the receive path looks at.
  localparam logic [2:0] TableNone    = 3'd0;
  localparam logic [2:0] TableMac     = 3'd1; // addr: {way, mac_bucket}, data: {valid, address}
  localparam logic [2:0] TableVlan    = 3'd2; // addr: VLAN / 32, data[48]: let in, [12:8]: VLAN % 32
  localparam logic [2:0] TableRss     = 3'd3; // addr: entry, data: queue pair
  localparam logic [2:0] TableKey     = 3'd4; // addr: word, data: 4 key bytes, the first in 31:24
  typedef struct packed {
    logic [2:0]  select;
    logic [6:0]  addr;
    logic [48:0] data;
  } rx_table_t;

  // The bucket of an address in the table of addresses.
  function automatic logic [5:0] mac_bucket(input logic [47:0] mac);
    mac_bucket = mac[5:0] ^ mac[11:6] ^ mac[17:12] ^ mac[23:18] ^ mac[29:24] ^ mac[35:30] ^
                 mac[41:36] ^ mac[47:42];
  endfunction

  // Moderation of one virtqueue, written when `valid`: notify when `packets` buffers are used, or
  // `cycles` clock cycles after the first of them; both 0: at once.
  typedef struct packed {
    logic        valid;
    logic [15:0] queue;    // virtqueue index
    logic [15:0] packets;
    logic [31:0] cycles;
  } moderation_t;

  // What device_stats counts of a virtqueue; the commands of the control virtqueue it keeps with
  // virtqueue 0. Of transmit virtqueues there is no StatDries.
  localparam logic [2:0] StatKicks    = 3'd0;
  localparam logic [2:0] StatPackets  = 3'd1;
  localparam logic [2:0] StatBytes    = 3'd2;
  localparam logic [2:0] StatIrqs     = 3'd3;
  localparam logic [2:0] StatDrops    = 3'd4;
  localparam logic [2:0] StatDries    = 3'd5;
  localparam logic [2:0] StatCommands = 3'd6;
  localparam logic [2:0] StatGood     = 3'd7;

  // What the parser finds in a received frame. Offsets count from the frame's first byte.
  typedef struct packed {
    logic [47:0] dst;         // as mac in rx_config_t
    logic        has_vlan;    // has a VLAN tag (802.1Q or 802.1ad)
    logic [11:0] vid;         // of the outermost one
    logic [31:0] hash;        // Toeplitz, over what hash_report says; 0 for none
    logic [3:0]  hash_report; // virtio_pkg::HashReport*
    logic [31:0] flow;        // Toeplitz over addresses and ports of TCP and UDP, whatever hash_types
    logic [15:0] symmetric;   // a hash that both directions of a flow share; 0 for none
    logic        csum_ok;     // the TCP or UDP checksum (and the IPv4 header's) is there and right
    logic        csum_bad;    // one of them is wrong
    logic        tcp;         // TCP, not a fragment, whole header within reach
    logic        lro;         // may be coalesced, as far as the frame alone tells
    logic        ip6;
    logic [6:0]  l3;          // IP header
    logic [6:0]  l4;          // TCP header
    logic [6:0]  payload;     // TCP payload
    logic [15:0] payload_len; // by the IP header's length, without padding
    logic [31:0] seq;
    logic [7:0]  tcp_flags;   // CWR ECE URG ACK PSH RST SYN FIN
    logic [15:0] pseudo;      // ones' complement sum of addresses and protocol, without length
  } rx_info_t;

  // A place in the receive store.
  localparam int unsigned SlotWidth = 10;

  // A halfword to be replaced in a frame: its number (offset / 2) and its bytes, the first in 15:8.
  typedef struct packed {
    logic [5:0]  place;
    logic [15:0] value;
  } patch_t;

  // A frame, or several coalesced, on its way to the driver.
  typedef struct packed {
    logic [15:0] len;         // bytes, all of it
    logic [9:0]  slot;        // of the first one
    logic [31:0] hash;
    logic [3:0]  hash_report;
    logic        csum_ok;
    logic        gso;         // coalesced: what follows holds
    logic        ip6;
    logic [15:0] gso_size;
    logic [6:0]  csum_start;
    logic [6:0]  hdr_len;
    patch_t      patch3;      // to the first frame's headers; patch1 only without ip6
    patch_t      patch2;
    patch_t      patch1;
    patch_t      patch0;
  } rx_frame_t;
  localparam int unsigned RxFrameWidth = 183;

  // What the header in front of a received frame says, but for num_buffers.
  typedef struct packed {
    logic [31:0] hash;
    logic [3:0]  hash_report;
    logic        data_valid;  // the checksum was verified
    logic        gso;         // coalesced: what follows holds
    logic        ip6;
    logic [15:0] gso_size;
    logic [6:0]  csum_start;
    logic [6:0]  hdr_len;
  } rx_header_t;
  localparam int unsigned RxHeaderWidth = 69;

endpackage
