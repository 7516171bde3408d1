// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/descriptor.h"
#include "sim/linux/patience.h"

namespace nicroscope::uml {

/// What a guest is made of: the files that scripts/linux.sh builds, or others.
struct GuestImage {
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::filesystem::path preload;  ///< library that takes chance from the kernel; empty for none

  /// These files; an empty name is the file that scripts/linux.sh has left. Throws BadInput, which
  /// says what to do, if it has not.
  [[nodiscard]] static GuestImage find(const std::string& kernel, const std::string& initrd);
};

struct GuestOptions {
  GuestImage image;
  unsigned number = 0;
  unsigned count = 1;  ///< of guests, for the script to know
  unsigned memory_mib = 128;
  std::uint64_t seed = 1;  ///< of the guest's random numbers
  std::string script;      ///< text, for the guest's shell
  bool device = true;      ///< has a network card
  std::string arguments;   ///< more for the kernel's command line
  Patience patience;
};

/// A User-mode Linux guest as a process of this machine, in a folder of its own that goes with it:
/// its sockets, its console, its root file system with the script in it. Everything that would
/// bring chance into it is taken away, so what it does is decided by its options and by what it is
/// told.
class Guest {
 public:
  /// Throws BadInput where an image cannot be used, GuestFailure where it does not start.
  explicit Guest(const GuestOptions& options);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  /// Kills it.
  ~Guest();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// A kernel connects to these two once: its calendar, and its network card.
  [[nodiscard]] const sim::Descriptor& calendar_listener() const noexcept { return calendar_; }
  [[nodiscard]] const sim::Descriptor& device_listener() const noexcept { return device_; }
  /// The next connection at a listener. Throws GuestFailure where none comes in time.
  [[nodiscard]] sim::Descriptor accept(const sim::Descriptor& listener);
  /// How the process has ended, with the last line of its console; nothing while it lives.
  [[nodiscard]] std::optional<std::string> end();

  /// The lines that the console has got since the last call; a last one without an end stays.
  [[nodiscard]] std::vector<std::string> new_lines();
  /// All that the console has got.
  [[nodiscard]] const std::string& console();

 private:
  void listen(const char* file, sim::Descriptor& listener) const;
  void write_initrd(const GuestOptions& options) const;
  void start(const GuestOptions& options);
  void read_console();

  std::string name_;
  std::filesystem::path folder_;
  sim::Descriptor calendar_;
  sim::Descriptor device_;
  sim::Descriptor output_;  ///< reads the console's file
  Patience patience_;
  pid_t process_ = -1;
  std::optional<int> wait_status_;  ///< of a process that is no more
  std::string text_;
  std::size_t taken_ = 0;  ///< of text_, by new_lines
};

}  // namespace nicroscope::uml
