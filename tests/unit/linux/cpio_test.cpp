// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/cpio.h"

#include <gtest/gtest.h>

#include <string_view>

namespace nicroscope::uml {
namespace {

unsigned long field(std::string_view header, unsigned number) {
  return std::stoul(std::string(header.substr(6 + 8 * number, 8)), nullptr, 16);
}

// Reads the archive by the kernel's description of the format, not by the code that wrote it.
TEST(Cpio, HoldsEachFileAndATrailer) {
  const std::string archive = cpio_archive({{"script", "echo hello\n"}, {"empty", ""}});
  EXPECT_EQ(archive.size() % 512, 0U);
  std::vector<std::pair<std::string, std::string>> found;
  std::size_t at = 0;
  for (;;) {
    const std::string_view header = std::string_view(archive).substr(at, 110);
    ASSERT_EQ(header.substr(0, 6), "070701");
    const std::size_t size = field(header, 6);
    const std::size_t name_size = field(header, 11);
    const std::string name = archive.substr(at + 110, name_size - 1);
    EXPECT_EQ(archive.at(at + 110 + name_size - 1), '\0');
    if (name == "TRAILER!!!") break;
    EXPECT_EQ(field(header, 1), 0100755U);
    at += (110 + name_size + 3) / 4 * 4;
    found.emplace_back(name, archive.substr(at, size));
    at += (size + 3) / 4 * 4;
  }
  const decltype(found) expected = {{"script", "echo hello\n"}, {"empty", ""}};
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace nicroscope::uml
