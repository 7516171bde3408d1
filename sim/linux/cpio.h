// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nicroscope::uml {

/// A file for the root of a guest's file system.
struct CpioFile {
  std::string name;
  std::string content;
};

/// An archive as Linux unpacks it at boot (the "newc" format of cpio; the kernel's
/// Documentation/driver-api/early-userspace/buffer-format.rst). Every file is root's and may be
/// run.
[[nodiscard]] std::string cpio_archive(const std::vector<CpioFile>& files);

}  // namespace nicroscope::uml
