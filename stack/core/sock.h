// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "stack/core/net.h"
#include "stack/core/result.h"
#include "stack/core/sk_buff.h"
#include "stack/kernel/lock/spinlock.h"
#include "stack/kernel/task.h"

namespace nicroscope::net {

/// Linux's net.core.rmem_default, rmem_max and the like.
inline constexpr std::uint32_t SK_RMEM_DEFAULT = 212'992;
inline constexpr std::uint32_t SK_WMEM_DEFAULT = 212'992;
inline constexpr std::uint32_t SOCK_MIN_RCVBUF = 2'304;
inline constexpr std::uint32_t SOCK_MIN_SNDBUF = 4'608;

/// What every protocol's socket has (Linux: struct sock): a receive queue, memory accounts in both
/// directions, and who waits. Counted: packets that are charged to it keep it alive.
struct sock {
  explicit sock(Net& network);
  sock(const sock&) = delete;
  sock& operator=(const sock&) = delete;

  Net& net;
  const std::uint32_t id;  ///< for the trace

  sk_buff_head receive_queue;
  /// Of the queue, taken by softirqs and by processes with softirqs off; who closes the socket
  /// holds it to say so (Linux: sk_receive_queue.lock).
  kernel::spinlock_t receive_lock;
  std::uint32_t rcvbuf = SK_RMEM_DEFAULT;
  std::uint32_t sndbuf = SK_WMEM_DEFAULT;
  std::uint32_t rmem_alloc = 0;  ///< truesize on the receive queue
  std::uint32_t wmem_alloc = 0;  ///< truesize of what was sent and is not yet freed
  std::uint64_t drops = 0;       ///< packets that the receive buffer had no room for

  Duration busy_poll{};           ///< SO_BUSY_POLL: a receive polls the device before it sleeps
  bool prefer_busy_poll = false;  ///< SO_PREFER_BUSY_POLL
  unsigned napi_id = 0;           ///< the instance that its last packet came by
  std::uint32_t rxhash = 0;       ///< of a connected socket: its flow, for receive flow steering

  Errno err = kOk;  ///< pending error (SO_ERROR): the next call returns and clears it
  bool dead = false;
  bool broadcast = false;                ///< SO_BROADCAST
  std::optional<Duration> rcvtimeo;      ///< SO_RCVTIMEO; none waits for ever
  std::optional<unsigned> bound_dev_if;  ///< SO_BINDTODEVICE
  kernel::WaitQueue wait;                ///< for packets
  kernel::WaitQueue write_wait;          ///< for room in the send buffer

  friend void sock_hold(sock& sk) noexcept { ++sk.refcount_; }
  friend void sock_put(sock& sk) {
    if (--sk.refcount_ == 0) delete &sk;
  }

  /// Nothing more is queued, what was not read is freed, and who waits is woken. Softirqs are off.
  void close();

 protected:
  virtual ~sock();

 private:
  std::uint32_t refcount_ = 1;
};

/// Puts a received packet on the socket's queue and wakes who waits for it. Frees and counts it if
/// the receive buffer is full; false then. Softirqs are disabled.
bool sock_queue_rcv_skb(sock& sk, skb_ptr skb);

/// Notes where to poll for more: the instance that is being polled, not a backlog; `once` only
/// where none was noted yet.
void sk_mark_napi_id(sock& sk, bool once);

/// The calling process reads and writes the flow that the socket's last packet was of: packets
/// follow it to this CPU (receive flow steering).
void sock_rps_record_flow(const sock& sk);

/// Charges a packet that is to be sent to the socket, until it is freed.
void skb_set_owner_w(sk_buff& skb, sock& sk);

/// Waits until the send buffer has room, then makes a packet of `size` bytes, charged to the
/// socket. Errors: EAGAIN (and `nonblock`), ENOBUFS, the socket's pending error.
[[nodiscard]] Result<skb_ptr> sock_alloc_send_skb(sock& sk, std::uint32_t size, bool nonblock);

/// The first received packet; waits for one as the socket's time-out says. EAGAIN if there is none
/// in time, or the socket's pending error. With `peek` the packet stays on the queue and a clone is
/// returned.
[[nodiscard]] Result<skb_ptr> skb_recv_datagram(sock& sk, bool nonblock, bool peek);

/// Reports an error of the network to the socket's owner.
void sk_error_report(sock& sk, Errno error);

/// Returns and clears the pending error.
[[nodiscard]] Errno sock_error(sock& sk) noexcept;

}  // namespace nicroscope::net
