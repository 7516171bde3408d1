// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/descriptor.h"
#include "sim/base/result.h"

namespace nicroscope::sim {

/// What a command answered: its exit status, and what it prints.
struct CommandReply {
  int status = 0;
  std::string out;
  std::string err;
};

/// Where the running instance `name` listens: in $XDG_RUNTIME_DIR/nicroscope, or in a folder of the
/// user's own in /tmp.
[[nodiscard]] std::string control_path(const std::string& name);

/// The names of the instances whose sockets lie in that folder, in order.
[[nodiscard]] std::vector<std::string> control_instances();

/// A Unix socket by which other programs give commands to this one. A client sends its words as one
/// JSON array of strings, closes its half of the connection, and gets {"status", "out", "err"}.
/// Nothing here blocks, whatever clients do.
class ControlSocket {
 public:
  using Handler = std::function<CommandReply(const std::vector<std::string>& words)>;
  static constexpr std::size_t kLongestRequest = 65536;  ///< bytes
  static constexpr std::size_t kClients = 16;  ///< a further one takes the place of the oldest

  /// Listens at `path`, which is made, with its folder, for this user alone; a socket that nobody
  /// listens at any more is replaced. One line says why it cannot be.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> listen(const std::string& path,
                                                                     Handler handler);
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  /// Removes the socket.
  ~ControlSocket();

  /// Appends what to poll for.
  void watch(std::vector<pollfd>& watched) const;
  /// Takes what has come, answers what is complete.
  void serve();

 private:
  class Client;

  ControlSocket(std::string path, Descriptor socket, Handler handler);

  std::string path_;
  Descriptor socket_;
  Handler handler_;
  std::deque<std::unique_ptr<Client>> clients_;
};

/// The client's side: one command, waited for.
[[nodiscard]] Result<CommandReply> send_command(const std::string& path,
                                                const std::vector<std::string>& words);

}  // namespace nicroscope::sim
