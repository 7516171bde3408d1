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

endpackage
