// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/host_port/vhost_user/message.h"

namespace nicroscope::sim::vhost_user {

/// The socket to a client: cuts what comes into messages, checks their shape, sends answers.
/// Nothing blocks, and never is more taken from the socket than belongs to the message at hand.
class Connection {
 public:
  enum class Progress : std::uint8_t {
    message,  ///< a message is whole
    nothing,  ///< no more has come
    ended,    ///< the client is gone, or sent what it may not: reason() says
  };

  Connection() = default;
  explicit Connection(Descriptor socket) noexcept : socket_(std::move(socket)) {}

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// Takes what has come; with Progress::message the next message is in `message`.
  [[nodiscard]] Progress receive(Message& message);
  /// False if the client takes no answer; reason() says why.
  [[nodiscard]] bool answer(std::uint32_t request, std::span<const std::byte> payload);
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  [[nodiscard]] Progress take(std::byte* to, std::size_t bytes);
  Progress end(std::string reason);

  Descriptor socket_;
  Message partial_;
  std::size_t got_ = 0;  // bytes of header and payload
  std::string reason_;
};

/// Sends all of `bytes` without blocking; what went wrong, empty if nothing.
[[nodiscard]] std::string send_all(int socket, std::span<const std::byte> bytes);

}  // namespace nicroscope::sim::vhost_user
