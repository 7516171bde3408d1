// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "driver/virtio_net.h"

namespace nicroscope::driver {

/// What a program leaves behind: its exit status, standard output and standard error.
struct EthtoolResult {
  int status = 0;
  std::string out;
  std::string err;
};

/// The ethtool program against this driver: `args` as on its command line, without its name
/// ("-C", "eth0", "rx-usecs", "50"). Syntax and output are those of ethtool 6.1. In process
/// context, as it may have to wait for the device.
///
///     (device alone)  settings           -i  driver                -S  statistics
///     -g -G  rings    -l -L  channels    -c -C  coalescing         -Q/--per-queue [queue_mask M]
///     -c/-C -k -K  features -x -X  RSS         -a -A  pause frames
///
/// -s and -r are refused: there is nothing to negotiate.
[[nodiscard]] EthtoolResult ethtool(VirtioNet& device, std::span<const std::string> args);

}  // namespace nicroscope::driver
