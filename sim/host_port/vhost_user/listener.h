// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "sim/base/descriptor.h"
#include "sim/base/result.h"

namespace nicroscope::sim::vhost_user {

/// A Unix stream socket at which clients find the back-end.
class Listener {
 public:
  /// Makes the socket `path`, for this user alone. One that nobody listens at any more is replaced;
  /// anything else that lies there is left, and one line says so.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> listen(const std::string& path);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// Removes the socket.
  ~Listener();

  /// Readable where a client waits.
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// The next client's connection, which the caller closes; -1 if none waits.
  [[nodiscard]] int accept();

 private:
  Listener(std::string path, Descriptor socket)
      : path_(std::move(path)), socket_(std::move(socket)) {}

  std::string path_;
  Descriptor socket_;
};

}  // namespace nicroscope::sim::vhost_user
