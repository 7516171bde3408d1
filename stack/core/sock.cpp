// SPDX-License-Identifier: Apache-2.0
#include "stack/core/sock.h"

#include <functional>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/core/softnet.h"

namespace nicroscope::net {

namespace {

void sock_rfree(sk_buff& skb) {
  sock& sk = *skb.sk;
  sk.rmem_alloc -= skb.truesize;
  sock_put(sk);
}

void sock_wfree(sk_buff& skb) {
  sock& sk = *skb.sk;
  const bool was_full = sk.wmem_alloc >= sk.sndbuf;
  sk.wmem_alloc -= skb.truesize;
  if (was_full && sk.wmem_alloc < sk.sndbuf) sk.write_wait.wake_up_all();
  sock_put(sk);
}

/// Polls the device for what the socket waits for (Linux: sk_busy_loop, from recvmsg).
template <typename Ready>
void sk_busy_loop(const sock& sk, bool nonblock, const Ready& ready) {
  if (sk.busy_poll == Duration::zero() || sk.napi_id == 0 || ready()) return;
  kernel::Kernel& kernel = sk.net.kernel();
  const Time end = kernel.now() + sk.busy_poll;
  const auto loop_end = [&] { return ready() || kernel.now() >= end; };
  const std::function<bool()> once;
  kernel.napi().napi_busy_loop(sk.napi_id, nonblock ? once : loop_end, sk.prefer_busy_poll);
}

}  // namespace

sock::sock(Net& network)
    : net(network),
      id(network.next_socket()),
      receive_lock(network.kernel(), "sk_receive_queue.lock"),
      wait(network.kernel()),
      write_wait(network.kernel()) {}

sock::~sock() = default;

void sock::close() {
  sk_buff_head unread;
  {
    const kernel::spin_guard guard(receive_lock);
    dead = true;
    while (skb_ptr skb = receive_queue.dequeue()) unread.queue_tail(std::move(skb));
  }
  unread.purge(skb_drop_reason::SOCKET_CLOSE);
  wait.wake_up_all();
  write_wait.wake_up_all();
}

bool sock_queue_rcv_skb(sock& sk, skb_ptr skb) {
  sk.net.spend(kernel::cost::sock_queue_rcv_skb);
  // As in Linux one packet may go over the limit, or none would ever fit into a small buffer.
  if (sk.rmem_alloc >= sk.rcvbuf) {
    ++sk.drops;
    kfree_skb_reason(std::move(skb), skb_drop_reason::SOCKET_RCVBUFF);
    return false;
  }
  skb_orphan(*skb);
  const FrameId frame = skb->frame;
  bool dead = false;
  {
    const kernel::spin_guard guard(sk.receive_lock);
    dead = sk.dead;
    if (!dead) {
      sk.net.spend(kernel::cost::skb_queue);
      skb->sk = &sk;
      skb->destructor = sock_rfree;
      sk.rmem_alloc += skb->truesize;
      sock_hold(sk);
      sk.net.trace().emit(point::sock_def_readable, frame, sk.id);
      sk.receive_queue.queue_tail(std::move(skb));
    }
  }
  if (dead) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::SOCKET_CLOSE);
    return false;
  }
  sk.wait.wake_up(frame);
  return true;
}

void sk_mark_napi_id(sock& sk, bool once) {
  if (once && sk.napi_id != 0) return;
  const kernel::napi_struct* const napi = sk.net.kernel().napi().polling();
  if (napi != nullptr && napi->queue != Softnet::kBacklogQueue) sk.napi_id = napi->napi_id;
}

void sock_rps_record_flow(const sock& sk) {
  sk.net.softnet().rps.record_sock_flow(sk.rxhash, sk.net.kernel().cpu().id());
}

void skb_set_owner_w(sk_buff& skb, sock& sk) {
  skb_orphan(skb);
  skb.sk = &sk;
  skb.destructor = sock_wfree;
  sk.wmem_alloc += skb.truesize;
  sock_hold(sk);
}

Result<skb_ptr> sock_alloc_send_skb(sock& sk, std::uint32_t size, bool nonblock) {
  if (sk.wmem_alloc >= sk.sndbuf) {
    if (nonblock) return std::errc::resource_unavailable_try_again;
    sk.write_wait.wait_event([&] { return sk.wmem_alloc < sk.sndbuf || sk.err != kOk || sk.dead; });
  }
  if (const Errno error = sock_error(sk); error != kOk) return error;
  if (sk.dead) return std::errc::bad_file_descriptor;
  skb_ptr skb = sk.net.skbs().alloc_skb(size);
  if (!skb) return std::errc::no_buffer_space;
  skb_set_owner_w(*skb, sk);
  return skb;
}

Result<skb_ptr> skb_recv_datagram(sock& sk, bool nonblock, bool peek) {
  const auto ready = [&] { return !sk.receive_queue.empty() || sk.err != kOk || sk.dead; };
  const Time end = sk.rcvtimeo ? sk.net.kernel().now() + *sk.rcvtimeo : kNever;
  for (;;) {
    if (const Errno error = sock_error(sk); error != kOk) return error;
    {
      const kernel::spin_guard_bh guard(sk.receive_lock);
      if (!sk.receive_queue.empty()) {
        sk.net.spend(kernel::cost::skb_queue);
        if (!peek) return sk.receive_queue.dequeue();
        skb_ptr clone = skb_clone(*sk.receive_queue.peek());
        if (!clone) return std::errc::no_buffer_space;
        return clone;
      }
    }
    if (sk.dead) return std::errc::bad_file_descriptor;
    sk_busy_loop(sk, nonblock, ready);
    if (ready()) continue;
    if (nonblock) return std::errc::resource_unavailable_try_again;
    if (end == kNever) {
      sk.wait.wait_event(ready);
    } else if (!sk.wait.wait_event_timeout(ready, end - sk.net.kernel().now())) {
      return std::errc::resource_unavailable_try_again;
    }
  }
}

void sk_error_report(sock& sk, Errno error) {
  sk.err = error;
  sk.wait.wake_up_all();
  sk.write_wait.wake_up_all();
}

Errno sock_error(sock& sk) noexcept { return std::exchange(sk.err, kOk); }

}  // namespace nicroscope::net
