// SPDX-License-Identifier: Apache-2.0
#include "sim/live/control_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace nicroscope::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".sock";

std::string reason() { return std::generic_category().message(errno); }

fs::path folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return fs::path(runtime) / "nicroscope";
  return fmt::format("/tmp/nicroscope-{}", ::getuid());
}

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Connected to whoever listens at `address`, or nothing, with errno.
Descriptor connect_to(const sockaddr_un& address) {
  Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return connection;
  if (::connect(connection.get(), generic(address), sizeof address) < 0) connection.reset(-1);
  return connection;
}

/// All that comes until the other side closes its half, at most `most` bytes and one; nothing where
/// the connection broke.
bool append_all(int descriptor, std::string& text, std::size_t most, bool& ended) {
  std::array<char, 4096> piece{};
  while (text.size() <= most) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got == 0) {
      ended = true;
      return true;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<std::vector<std::string>> words_of(const std::string& request) {
  const auto json = nlohmann::json::parse(request, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const auto& word : json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

std::string to_text(const CommandReply& reply) {
  const nlohmann::json json = {{"status", reply.status}, {"out", reply.out}, {"err", reply.err}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string control_path(const std::string& name) {
  return (folder() / (name + std::string(kSuffix))).string();
}

std::vector<std::string> control_instances() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder(), none)) {
    if (entry.path().extension() == kSuffix) names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

/// One connection: the request as far as it has come, then the reply as far as it is not sent.
class ControlSocket::Client {
 public:
  explicit Client(Descriptor connection) : connection_(std::move(connection)) {}

  [[nodiscard]] pollfd watched() const {
    return {connection_.get(), static_cast<short>(answered_ ? POLLOUT : POLLIN), 0};
  }
  /// False once there is nothing left to do.
  [[nodiscard]] bool serve(const Handler& handler) {
    if (!answered_) {
      bool ended = false;
      if (!append_all(connection_.get(), text_, kLongestRequest, ended)) return false;
      if (!ended && text_.size() <= kLongestRequest) return true;
      answer(handler);
    }
    return send();
  }

 private:
  void answer(const Handler& handler) {
    CommandReply reply;
    const auto words = text_.size() <= kLongestRequest ? words_of(text_) : std::nullopt;
    if (words) {
      reply = handler(*words);
    } else {
      reply.status = 2;
      reply.err = fmt::format("a request is a JSON array of strings, at most {} bytes of it\n",
                              kLongestRequest);
    }
    text_ = to_text(reply);
    answered_ = true;
  }
  [[nodiscard]] bool send() {
    while (sent_ < text_.size()) {
      const ssize_t took = ::send(connection_.get(), text_.data() + sent_, text_.size() - sent_,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (took < 0 && errno == EINTR) continue;
      if (took < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
      sent_ += static_cast<std::size_t>(took);
    }
    return false;
  }

  Descriptor connection_;
  bool answered_ = false;
  std::string text_;
  std::size_t sent_ = 0;
};

ControlSocket::ControlSocket(std::string path, Descriptor socket, Handler handler)
    : path_(std::move(path)), socket_(std::move(socket)), handler_(std::move(handler)) {}

ControlSocket::~ControlSocket() { ::unlink(path_.c_str()); }

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(const std::string& path,
                                                             Handler handler) {
  const auto failed = [&path](const std::string& why) {
    return Error{fmt::format("{}: {}", path, why)};
  };
  const auto address = address_of(path);
  if (!address) return failed("a socket's path has 1 to 107 bytes");
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty() && ::mkdir(parent.c_str(), S_IRWXU) < 0 && errno != EEXIST) {
    return failed(reason());
  }
  if (connect_to(*address)) {
    return failed("another instance listens there");
  }
  // What nobody answers at is left over from an instance that was killed.
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return failed("is there, and is no socket");
    ::unlink(path.c_str());
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket || ::bind(socket.get(), generic(*address), sizeof *address) < 0 ||
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR) < 0 || ::listen(socket.get(), kClients) < 0) {
    return failed(reason());
  }
  return std::unique_ptr<ControlSocket>(
      new ControlSocket(path, std::move(socket), std::move(handler)));
}

void ControlSocket::watch(std::vector<pollfd>& watched) const {
  watched.push_back({socket_.get(), POLLIN, 0});
  for (const auto& client : clients_) watched.push_back(client->watched());
}

void ControlSocket::serve() {
  for (;;) {
    Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection) break;
    if (clients_.size() == kClients) clients_.pop_front();
    clients_.push_back(std::make_unique<Client>(std::move(connection)));
  }
  std::erase_if(clients_, [this](const auto& client) { return !client->serve(handler_); });
}

Result<CommandReply> send_command(const std::string& path, const std::vector<std::string>& words) {
  const auto failed = [&path](const std::string& why) {
    return Error{fmt::format("{}: {}", path, why)};
  };
  const auto address = address_of(path);
  if (!address) return failed("a socket's path has 1 to 107 bytes");
  const Descriptor connection = connect_to(*address);
  if (!connection) return failed(reason());
  const std::string request =
      nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (std::span<const char> left(request); !left.empty();) {
    const ssize_t took = ::send(connection.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) return failed(reason());
    left = left.subspan(static_cast<std::size_t>(took));
  }
  ::shutdown(connection.get(), SHUT_WR);
  constexpr std::size_t kLongestReply = std::size_t{1} << 24U;
  std::string text;
  bool ended = false;
  if (!append_all(connection.get(), text, kLongestReply, ended)) return failed(reason());
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("status") || !json.contains("out") ||
      !json.contains("err")) {
    return failed("no answer came");
  }
  return CommandReply{json["status"].get<int>(), json["out"].get<std::string>(),
                      json["err"].get<std::string>()};
}

}  // namespace nicroscope::sim
