// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/cpio.h"

#include <fmt/format.h>

namespace nicroscope::uml {
namespace {

constexpr unsigned kRegularFile = 0100755;
constexpr std::size_t kBlock = 512;

void pad(std::string& archive, std::size_t multiple) {
  archive.append((multiple - archive.size() % multiple) % multiple, '\0');
}

// Magic, then inode, mode, owner, group, links, time, size, device twice, length of the name,
// check.
void add(std::string& archive, unsigned number, unsigned mode, const CpioFile& file) {
  archive += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", number, mode, 0, 0, 1,
                         0, file.content.size());
  archive +=
      fmt::format("{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", 0, 0, 0, 0, file.name.size() + 1, 0);
  archive += file.name + '\0';
  pad(archive, 4);
  archive += file.content;
  pad(archive, 4);
}

}  // namespace

std::string cpio_archive(const std::vector<CpioFile>& files) {
  std::string archive;
  unsigned number = 1;
  for (const CpioFile& file : files) add(archive, number++, kRegularFile, file);
  add(archive, number, 0, {"TRAILER!!!", ""});
  pad(archive, kBlock);
  return archive;
}

}  // namespace nicroscope::uml
