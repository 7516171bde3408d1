// SPDX-License-Identifier: Apache-2.0
// What ModelDevice does to frames, by the features and the commands (virtio 1.2, 5.1.6).
#include <algorithm>
#include <cstring>

#include "tests/golden/filter.h"
#include "tests/golden/parse.h"
#include "tests/golden/rss.h"
#include "tests/golden/segment.h"
#include "tests/support/model_device.h"

namespace nicroscope::test {

namespace {

golden::Mac mac_of(std::uint64_t address) {
  golden::Mac mac{};
  for (unsigned i = 0; i < 6; ++i) mac[i] = static_cast<std::uint8_t>(address >> (40 - 8 * i));
  return mac;
}

}  // namespace

std::size_t ModelDevice::header_bytes() const noexcept {
  return negotiated(regs::kFeatureHashReport) ? sizeof(virtio::NetHeaderHash)
                                              : sizeof(virtio::NetHeader);
}

void ModelDevice::forget_settings() {
  control_ = ControlModel(options_.pairs);
  control_.mac = address(options_.mac);
}

bool ModelDevice::admits(const Frame& frame) const {
  golden::ReceiveFilter filter;
  filter.promisc = control_.mode[regs::kCtrlRxPromisc];
  filter.allmulti = control_.mode[regs::kCtrlRxAllmulti];
  filter.alluni = control_.mode[regs::kCtrlRxAlluni];
  filter.nomulti = control_.mode[regs::kCtrlRxNomulti];
  filter.nouni = control_.mode[regs::kCtrlRxNouni];
  filter.nobcast = control_.mode[regs::kCtrlRxNobcast];
  filter.mac = mac_of(control_.mac);
  for (const std::uint64_t entry : control_.addresses) {
    const golden::Mac mac = mac_of(entry);
    ((mac[0] & 1U) != 0 ? filter.multicast : filter.unicast).push_back(mac);
  }
  filter.alluni = filter.alluni || control_.unicast_overflow;
  filter.allmulti = filter.allmulti || control_.multicast_overflow;
  filter.vlan_filter = negotiated(regs::kFeatureCtrlVlan);
  filter.vlans = control_.vlans;
  return filter.accepts(golden::parse(frame));
}

unsigned ModelDevice::steer(const Frame& frame) const {
  const golden::ParsedFrame parsed = golden::parse(frame);
  if (control_.rss) {
    golden::RssConfig rss;
    rss.hash_types = control_.hash_types;
    rss.key = control_.key;
    rss.table = control_.table;
    rss.unclassified = control_.unclassified;
    return golden::rss_queue(parsed, rss);
  }
  return golden::flow_hash(parsed, control_.key) % control_.pairs;
}

virtio::NetHeaderHash ModelDevice::receive_header(const Incoming& frame) const {
  virtio::NetHeaderHash header{};
  const golden::ParsedFrame parsed = golden::parse(frame.bytes);
  if (negotiated(regs::kFeatureGuestCsum) && control_.csum &&
      parsed.verdict == golden::Verdict::good) {
    header.header.flags = regs::kNetHdrFDataValid;
  }
  const golden::FrameHash hash = golden::frame_hash(parsed, control_.hash_types, control_.key);
  header.hash_value[0] = static_cast<std::uint16_t>(hash.value);
  header.hash_value[1] = static_cast<std::uint16_t>(hash.value >> 16U);
  header.hash_report = hash.report;
  if (receive_header_) header.header = *receive_header_;
  if (frame.super) header.header = *frame.super;
  return header;
}

void ModelDevice::send(const virtio::NetHeader& header, Frame bytes) {
  golden::TransmitFeatures features;
  features.csum = negotiated(regs::kFeatureCsum);
  features.tso4 = negotiated(regs::kFeatureHostTso4);
  features.tso6 = negotiated(regs::kFeatureHostTso6);
  features.ecn = negotiated(regs::kFeatureHostEcn);
  features.uso = negotiated(regs::kFeatureHostUso);
  const auto frames = golden::segment(bytes, header, features);
  if (!frames) {
    ++counters_[regs::kCounterTxDropBad];
    return;
  }
  if (header.gso_type != regs::kNetHdrGsoNone) {
    ++counters_[regs::kCounterTxTso];
    super_frames_.push_back(frames->size());
  }
  for (const auto& frame : *frames) {
    ++counters_[regs::kCounterTxFrames];
    counters_[regs::kCounterTxBytes] += frame.size();
    if (on_transmit) on_transmit(frame);
  }
}

// 5.1.6.5: class, command and data are read, the answer and the acknowledgement written.
bool ModelDevice::control_one() {
  Queue& queue = queues_[control_queue()];
  const auto chain = queue.ring->pop();
  if (!chain) return false;
  queue.ring->write_device_event(regs::kEventFlagsDisable, 0);
  std::vector<std::uint8_t> bytes;
  std::size_t room = 0;
  for (const auto& piece : chain->pieces) {
    if (piece.write) {
      room += piece.length;
      continue;
    }
    const std::size_t at = bytes.size();
    bytes.resize(at + piece.length);
    if (!bus_.read(piece.address, reinterpret_cast<std::byte*>(bytes.data()) + at, piece.length)) {
      fail(regs::kErrorDmaRead, static_cast<std::uint16_t>(control_queue()), 0, piece.address);
      return true;
    }
  }
  commands_.push_back(bytes);
  ControlModel::Answer answer;
  if (hostile_ != Hostile::refuse_commands) {
    answer = control_.execute(driver_features_, bytes, room);
  }
  ++counters_[answer.ok ? regs::kCounterCtrlCommands : regs::kCounterCtrlErrors];
  std::vector<std::uint8_t> reply = answer.data;
  reply.push_back(answer.ok ? regs::kCtrlAckOk : regs::kCtrlAckErr);
  reply.insert(reply.end(), answer.result.begin(), answer.result.end());
  std::size_t done = 0;
  for (const auto& piece : chain->pieces) {
    if (!piece.write) continue;
    const std::size_t size = std::min<std::size_t>(piece.length, reply.size() - done);
    if (size == 0) break;
    if (!bus_.write(piece.address, reinterpret_cast<const std::byte*>(reply.data()) + done, size)) {
      fail(regs::kErrorDmaWrite, static_cast<std::uint16_t>(control_queue()), 0, piece.address);
      return true;
    }
    done += size;
  }
  queue.ring->push({{chain->id, static_cast<std::uint32_t>(done), chain->slots}});
  interrupt_for(queue);
  return true;
}

}  // namespace nicroscope::test
