// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "sim/linux/cpio.h"
#include "sim/linux/guest_failure.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::uml {
namespace {

namespace fs = std::filesystem;
using sim::BadInput;

// Names in the guest's folder, which is the process's working directory: the command line is the
// same wherever that folder lies, since the kernel takes chance from it.
constexpr const char* kCalendarSocket = "calendar.sock";
constexpr const char* kDeviceSocket = "nic.sock";
constexpr const char* kConsole = "console.txt";
constexpr const char* kInitrd = "initrd";
constexpr const char* kPreload = "fixed_random.so";

std::string reason() { return std::generic_category().message(errno); }

fs::path make_folder() {
  std::string name = (fs::temp_directory_path() / "nicroscope-guest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw GuestFailure(fmt::format("cannot make a folder {}: {}", name, reason()));
  }
  return name;
}

std::vector<std::string> command_line(const GuestOptions& options) {
  std::vector<std::string> words = {
      "linux",
      fmt::format("mem={}M", options.memory_mib),
      fmt::format("initrd={}", kInitrd),
      fmt::format("time-travel=ext:{}:{}", options.number, kCalendarSocket),
      "con0=null,fd:1",
      "con=null",
      "quiet",
      "panic=-1",
      "random.trust_cpu=off",
      fmt::format("GUEST={}", options.number),
      fmt::format("GUESTS={}", options.count),
  };
  if (options.device) words.push_back(fmt::format("virtio_uml.device={}:1", kDeviceSocket));
  for (std::size_t at = 0; at < options.arguments.size();) {
    const std::size_t end = std::min(options.arguments.find(' ', at), options.arguments.size());
    if (end > at) words.push_back(options.arguments.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

GuestImage GuestImage::find(const std::string& kernel, const std::string& initrd) {
  fs::path folder;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    folder = cache;
  } else if (const char* home = std::getenv("HOME"); home != nullptr) {
    folder = fs::path(home) / ".cache";
  }
  folder /= "nicroscope/linux";
  GuestImage image{kernel, initrd, folder / "fixed_random.so"};
  if (kernel.empty()) image.kernel = folder / "linux";
  if (initrd.empty()) image.initrd = folder / "initrd";
  for (const fs::path& file : {image.kernel, image.initrd, image.preload}) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    throw BadInput(fmt::format("linux: {}: {}; `make linux` builds what the guests need",
                               file.string(), reason()));
  }
  if (::access(image.kernel.c_str(), X_OK) != 0) {
    throw BadInput(fmt::format("linux: {} is no program", image.kernel.string()));
  }
  return image;
}

Guest::Guest(const GuestOptions& options)
    : name_(fmt::format("guest {}", options.number)), patience_(options.patience) {
  folder_ = make_folder();
  try {
    write_initrd(options);
    if (!options.image.preload.empty()) fs::copy_file(options.image.preload, folder_ / kPreload);
    listen(kCalendarSocket, calendar_);
    listen(kDeviceSocket, device_);
    start(options);
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

Guest::~Guest() {
  if (process_ > 0) {
    ::kill(-process_, SIGKILL);
    if (!wait_status_) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Guest::write_initrd(const GuestOptions& options) const {
  std::ifstream base(options.image.initrd, std::ios::binary);
  std::ofstream out(folder_ / kInitrd, std::ios::binary);
  out << base.rdbuf();
  // The kernel unpacks one archive after the other.
  out << cpio_archive({{"script", options.script}});
  if (!base || !out.flush()) {
    throw GuestFailure(fmt::format("cannot write {}", (folder_ / kInitrd).string()));
  }
}

void Guest::listen(const char* file, sim::Descriptor& listener) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (folder_ / file).string();
  if (path.size() >= sizeof address.sun_path) {
    throw BadInput(
        fmt::format("{}: too long for the path of a socket; TMPDIR chooses another", path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  listener = sim::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address),  // NOLINT
             sizeof address) != 0 ||
      ::listen(listener.get(), 4) != 0) {
    throw GuestFailure(fmt::format("{}: {}", path, reason()));
  }
}

void Guest::start(const GuestOptions& options) {
  const std::string console = (folder_ / kConsole).string();
  const sim::Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const sim::Descriptor write(
      ::open(console.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  output_ = sim::Descriptor(::open(console.c_str(), O_RDONLY | O_CLOEXEC));
  if (!nothing || !write || !output_) {
    throw GuestFailure(fmt::format("{}: {}", console, reason()));
  }
  std::vector<std::string> words = command_line(options);
  std::vector<std::string> environment = {"HOME=.", "PATH=/usr/bin:/bin",
                                          fmt::format("NICROSCOPE_SEED={}", options.seed)};
  if (!options.image.preload.empty())
    environment.push_back(fmt::format("LD_PRELOAD=./{}", kPreload));
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  const std::string kernel = fs::absolute(options.image.kernel).string();
  const std::string folder = folder_.string();
  const pid_t parent = ::getpid();

  process_ = ::fork();
  if (process_ < 0) throw GuestFailure(fmt::format("cannot start a guest: {}", reason()));
  if (process_ == 0) {
    // Only what may be called after a fork.
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::personality(static_cast<unsigned long>(::personality(0xffffffff)) | ADDR_NO_RANDOMIZE);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(nothing.get(), 0);
    ::dup2(write.get(), 1);
    ::dup2(write.get(), 2);
    if (::chdir(folder.c_str()) == 0) ::execve(kernel.c_str(), argv.data(), envp.data());
    const char* text = std::strerror(errno);
    [[maybe_unused]] const ssize_t written = ::write(2, text, std::strlen(text));
    ::_exit(127);
  }
}

sim::Descriptor Guest::accept(const sim::Descriptor& listener) {
  constexpr int kStepMs = 100;
  const auto limit = std::chrono::steady_clock::now() + patience_.limit;
  while (std::chrono::steady_clock::now() < limit) {
    pollfd watched{listener.get(), POLLIN, 0};
    if (::poll(&watched, 1, kStepMs) > 0) {
      sim::Descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) return connection;
    }
    check_stop(patience_);
    if (const auto how = end()) {
      throw GuestFailure(fmt::format("{} ended before it connected, {}", name_, *how));
    }
  }
  throw GuestFailure(fmt::format(
      "{} has not connected within {} s: is its kernel one with UML_TIME_TRAVEL_SUPPORT and "
      "VIRTIO_UML?",
      name_, patience_.limit.count()));
}

std::optional<std::string> Guest::end() {
  if (!wait_status_) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
    wait_status_ = status;
  }
  const int status = *wait_status_;
  std::string how = WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status))
                                        : fmt::format("with status {}", WEXITSTATUS(status));
  std::string_view said = console();
  const auto last = said.find_last_not_of(" \r\n");
  if (last == std::string_view::npos) return how + ", and said nothing";
  said = said.substr(0, last + 1);
  return fmt::format("{}; the last that it said: {}", how, said.substr(said.rfind('\n') + 1));
}

const std::string& Guest::console() {
  read_console();
  return text_;
}

void Guest::read_console() {
  std::array<char, 16384> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const ssize_t got = ::read(output_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    text_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

std::vector<std::string> Guest::new_lines() {
  read_console();
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = text_.find('\n', taken_);
    if (end == std::string::npos) return lines;
    std::string line = text_.substr(taken_, end - taken_);
    while (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    taken_ = end + 1;
  }
}

}  // namespace nicroscope::uml
