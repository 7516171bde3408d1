// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/host_port/vhost_user/connection.h"
#include "sim/host_port/vhost_user/guest_memory.h"
#include "sim/host_port/vhost_user/message.h"
#include "sim/host_port/vhost_user/nic_device.h"
#include "sim/host_port/vhost_user/vring.h"
#include "sim/simulation.h"

namespace nicroscope::sim::vhost_user {

/// Where a client in virtual time has its say. All may be left empty.
struct BackendHooks {
  /// The client kicks `queue` by a message; before the doorbell is rung.
  std::function<void(unsigned queue)> before_kick;
  /// The doorbell is on its way; before the client gets its answer.
  std::function<void(unsigned queue)> after_kick;
  /// Waits until `descriptor` can be read, with an answer of the client to a call, and serves
  /// meanwhile whatever else the client wants answered first. False: the client is to be given up.
  /// If empty, ten seconds of wall time.
  std::function<bool(int descriptor)> wait;
};

/// `options` as a back-end needs them: the client brings the memory.
[[nodiscard]] SimulationOptions simulation_options(SimulationOptions options);

/// The back-end of a vhost-user device (QEMU, docs/interop/vhost-user.rst) whose device is the
/// simulated NIC: a client's messages become register accesses and doorbells, the NIC's interrupt
/// messages become calls, its DMA goes straight to the client's memory. docs/vhost-user.md lists
/// the messages.
///
/// Nothing of what a client sends is trusted: what cannot be ends the connection, with a reason.
/// The next client finds the device after a reset. While a message is handled the simulation may
/// run, some tens of microseconds where a device or queue is started or stopped; hardware that
/// fails is a SimulationFailure.
class Backend {
 public:
  /// `simulation` was made with simulation_options() and must outlive this; it must not run any
  /// more after this is gone.
  explicit Backend(Simulation& simulation, BackendHooks hooks = {});
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend();

  /// Takes a connected stream socket over; a client that was there before is dropped.
  void attach(int socket);
  [[nodiscard]] bool connected() const noexcept { return connection_.has_value(); }
  /// The socket, to be polled for reading; -1 if there is no client.
  [[nodiscard]] int fd() const noexcept;
  /// Ends the connection: the device is reset, then the client's memory let go.
  void disconnect(std::string reason);
  /// Why the last connection ended.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  /// Waits for one message, does what it says, answers it. False if the connection ended.
  bool handle_message();
  /// The same for all messages that have come by now.
  bool handle_available();

  /// Calls that wait for send_calls(): those of a client with in-band notifications. When the first
  /// one comes up, Simulation::request_stop() is called.
  [[nodiscard]] bool calls_pending() const noexcept { return inband() && !calls_.empty(); }
  /// Sends them and waits for the answer to each. Not from within a hook. False if the connection
  /// ended.
  bool send_calls();

  // ---- kicks by descriptor
  /// Appends what to poll for: the socket, and every ring's kick descriptor.
  void watch(std::vector<pollfd>& watched) const;
  /// Rings the doorbells of rings that were kicked.
  void take_kicks();
  /// Whatever the device or the client's memory have come to: a device that gave up and memory
  /// that is gone end the connection. False if it did. To be called now and then.
  bool check();

  /// Rings that the device runs.
  [[nodiscard]] unsigned running_rings() const noexcept;
  /// Calls that the client got, of all rings.
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_sent_; }
  [[nodiscard]] std::uint64_t kicks() const noexcept { return kicks_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

 private:
  // What a handler makes of a message: an empty `problem`, or why the connection ends.
  struct Outcome {
    std::string problem;
    std::vector<std::byte> answer;  // of requests that have one
  };
  template <typename T>
  static Outcome answer_with(const T& value);
  static std::vector<std::byte> acknowledgement(bool failed);
  static Outcome outcome_of(std::string problem) { return {std::move(problem), {}}; }
  static Outcome refuse(std::string problem) { return outcome_of(std::move(problem)); }

  // Agreed on, and the client does not use descriptors all the same: QEMU 7.2 agrees to it without
  // knowing it.
  [[nodiscard]] bool inband() const noexcept {
    return protocol(kProtocolInbandNotifications) && !by_descriptor_;
  }
  [[nodiscard]] bool protocol(unsigned feature) const noexcept {
    return (protocol_features_ >> feature & 1) != 0;
  }
  [[nodiscard]] std::uint64_t offered_features() const noexcept;
  [[nodiscard]] std::uint64_t offered_protocol_features() const noexcept;

  bool handle(Message message);
  Outcome dispatch(Message& message);
  Outcome set_features(std::uint64_t features);
  Outcome set_protocol_features(std::uint64_t features);
  Outcome set_mem_table(const Message& message);
  Outcome vring_message(Message& message);
  Outcome set_vring_num(Vring& ring, const VringState& state);
  Outcome set_vring_addr(Vring& ring, const VringAddress& address);
  Outcome set_vring_base(Vring& ring, const VringState& state);
  Outcome get_vring_base(const VringState& state);
  Outcome set_vring_enable(const VringState& state);
  Outcome set_vring_descriptor(Message& message);
  Outcome set_backend_req_fd(Message& message);
  Outcome get_config(const Message& message);
  Outcome vring_kick(unsigned queue);

  [[nodiscard]] std::string start_rings();
  [[nodiscard]] std::string start_ring(unsigned queue);
  [[nodiscard]] bool used_before(const QueueAreas& place) const;
  void catch_up(unsigned queue);
  [[nodiscard]] std::string pause_ring(unsigned queue);
  [[nodiscard]] std::string stop_ring(unsigned queue);
  [[nodiscard]] bool enabled(const Vring& ring) const noexcept;
  void about_to_write(const VisibleWrite& write);
  void stop_all();
  [[nodiscard]] std::string share_pairs();
  [[nodiscard]] std::optional<QueueAreas> areas(unsigned queue) const;
  [[nodiscard]] unsigned control_queue() const noexcept;
  void forget_client();
  void interrupt(unsigned queue);
  void call(unsigned queue);
  [[nodiscard]] std::string call_inband(unsigned queue);
  void release_memory();

  Simulation& simulation_;
  const BackendHooks hooks_;
  NicDevice device_;
  GuestMemory memory_;
  std::optional<Connection> connection_;
  std::string reason_;
  std::uint64_t features_ = 0;  // the client's, as it set them
  bool features_set_ = false;
  std::uint64_t protocol_features_ = 0;
  bool by_descriptor_ = false;  // a SET_VRING_KICK or SET_VRING_CALL has come
  Descriptor backend_channel_;
  std::vector<Vring> rings_;
  std::vector<unsigned> calls_;  // rings whose call has not been sent, in their order
  std::uint64_t calls_sent_ = 0;
  std::uint64_t kicks_ = 0;
  std::uint64_t messages_ = 0;
};

}  // namespace nicroscope::sim::vhost_user
