// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/random_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "nicroscope/registers.h"
#include "tests/cosim/random_coverage.h"

namespace nicroscope::test {

namespace {

using std::chrono::microseconds;

constexpr Duration kQuiet = microseconds{150};  // longer than any moderation that is asked for
constexpr Duration kPatience = microseconds{60000};
constexpr std::size_t kWireOverhead = 24;  // preamble, check sequence, gap
// Only a device with its MAC pads.
std::size_t least_frame(const std::string& profile) {
  return find_profile(profile)->top == "nic_top" ? golden::kLeastFrame : 0;
}

constexpr std::uint8_t kUnknownFlags = 0xf8;  // of a header; the device has to ignore them
constexpr std::size_t kLog = 8;
constexpr unsigned kSession = 1500;  // frames, about

}  // namespace

RandomRun::RandomRun(const RandomOptions& options, Coverage& coverage)
    : options_(options),
      coverage_(coverage),
      random_(options.seed),
      scoreboard_(coverage, least_frame(options.profile)) {}

RandomRun::~RandomRun() {
  if (simulation_) simulation_->wire().set_source(nullptr);
}

std::string RandomRun::problem() const {
  if (!agent_->error().empty()) return agent_->error();
  if (!statistics_.error().empty()) return statistics_.error();
  return scoreboard_.error();
}

std::string RandomRun::run() {
  sim::SimulationOptions options;
  options.profile = options_.profile;
  options.variant = options_.variant;
  options.seed = options_.seed;
  options.bus = random_bus(random_);
  options.watchdog_cycles = 200'000;
  options.no_skip = options_.no_skip;
  options.memory_bytes = std::size_t{2} << 30;
  auto created = sim::Simulation::create(options);
  if (!created) return created.error();
  simulation_ = std::move(*created);
  simulation_->wire().add_sink(scoreboard_);
  simulation_->wire().add_sink(hash_);
  simulation_->trace().add(hash_);
  simulation_->wire().set_source(this);
  if (!options_.pcap.empty()) {
    auto writer = sim::PcapWriter::create(options_.pcap);
    if (!writer) return writer.error();
    pcap_ = std::move(*writer);
    pcap_sink_.emplace(*pcap_, sim::WireDirection::from_nic);
    simulation_->wire().add_sink(*pcap_sink_);
  }
  agent_ = std::make_unique<NetAgent>(*simulation_, random_.next());
  agent_->on_receive = [this](const ReceivedFrame& frame) {
    scoreboard_.received(frame);
    statistics_.received(frame);
    if (!scoreboard_.error().empty()) simulation_->request_stop();
  };
  offered_ = agent_->offered() & ~options_.without;
  while (frames_ < options_.frames) {
    const std::string wrong = session();
    if (!wrong.empty()) {
      agent_->on_receive = {};
      return fmt::format("{} seed {} session {} at {} ns: {}\n  {}\n  last:{}\n  counters:{}",
                         options_.profile, options_.seed, session_,
                         simulation_->timeline().now().count() / 1000, wrong, describe(plan_),
                         fmt::join(log_, ","), counters());
    }
  }
  if (pcap_ != nullptr) {
    if (const auto error = pcap_->close()) return error->message;
  }
  return {};
}

void RandomRun::log(const std::string& what) {
  log_.push_back(fmt::format(" {} at {}", what, simulation_->timeline().now().count() / 1000));
  if (log_.size() > kLog) log_.pop_front();
}

std::string RandomRun::counters() {
  std::string text;
  for (unsigned number = 0; number < regs::kCounters.size(); ++number) {
    const std::uint64_t count = agent_->counter(number);
    if (count != 0) text += fmt::format(" {} {}", regs::kCounters[number].name, count);
  }
  const std::uint32_t vendor = regs::kBarVendor;
  const std::uint32_t code = agent_->read(vendor + regs::kVendorErrorCode, 4);
  if (code != 0) {
    text += fmt::format("\n  device error {}: virtqueue {}, slot {}, address {:#x}", code,
                        agent_->read(vendor + regs::kVendorErrorQueue, 4),
                        agent_->read(vendor + regs::kVendorErrorIndex, 4),
                        agent_->read(vendor + regs::kVendorErrorAddrLo, 4));
  }
  return text;
}

golden::Mac RandomRun::read_mac() {
  golden::Mac mac{};
  for (unsigned i = 0; i < mac.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(
        agent_->read(regs::kBarDeviceConfig + regs::kDeviceConfigMac + i, 1));
  }
  return mac;
}

std::string RandomRun::session() {
  ++session_;
  plan_ = random_plan(random_, offered_, simulation_->profile(),
                      simulation_->bus().options().adversary);
  const AgentPlan& agent = plan_.agent;
  const golden::Mac mac = read_mac();
  mix_ = {};
  mix_.largest = plan_.largest;
  mix_.jumbo_percent = plan_.jumbo_percent;
  const golden::Mac others[] = {{0x52, 0x54, 0, 0xaa, 0, 1},
                                {0x52, 0x54, 0, 0xaa, 0, 2},
                                {0x33, 0x33, 0, 0, 0, 1},
                                {0x01, 0, 0x5e, 0, 0, 5},
                                {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  mix_.destinations.assign(5, mac);
  mix_.destinations.insert(mix_.destinations.end(), std::begin(others), std::end(others));
  flows_.clear();
  golden::FrameMix flow_mix = mix_;
  flow_mix.tag_percent = 60;
  for (unsigned flow = 0; flow < 8; ++flow) {
    flows_.emplace_back(random_.next(), flow_mix, flow % 2 == 0 ? 3U : 20U);
  }
  run_left_ = 0;
  transmit_mix_ = {.csum = agent.has(regs::kFeatureCsum),
                   .tso4 = agent.has(regs::kFeatureHostTso4),
                   .tso6 = agent.has(regs::kFeatureHostTso6),
                   .ecn = agent.has(regs::kFeatureHostEcn),
                   .uso = agent.has(regs::kFeatureHostUso)};
  const golden::TransmitFeatures transmit{transmit_mix_.csum, transmit_mix_.tso4,
                                          transmit_mix_.tso6, transmit_mix_.ecn, transmit_mix_.uso};
  if (const std::string wrong = agent_->start(agent); !wrong.empty()) return wrong;
  const unsigned pairs = agent_->pairs();
  control_.receive = ReceiveConfig::after_reset(agent, mac);
  control_.receive.supported_hash_types =
      agent_->read(regs::kBarDeviceConfig + regs::kDeviceConfigSupportedHashTypes, 4);
  control_.moderation.assign(2 * std::size_t{pairs}, {});
  control_.receive_all = control_.transmit_all = {};
  moderated_ = false;
  scoreboard_.start(simulation_->timeline().now(), control_.receive, transmit, pairs);

  statistics_.start(*agent_);

  const std::uint64_t end = frames_ + kSession;
  while (frames_ < end && frames_ < options_.frames) {
    const bool last = percent(25);
    if (const std::string wrong = round(last); !wrong.empty()) return wrong;
    if (last) break;
  }
  return reset_device();
}

std::string RandomRun::round(bool last) {
  receive_left_ = 50 + random_.below(250);
  send_left_ = 30 + random_.below(150);
  next_start_ = simulation_->timeline().now();
  simulation_->wire().wake();
  if (!sending_) {
    sending_ = true;
    send_burst(session_);
  }
  const bool reset_in_it = last && percent(50);
  const std::uint64_t reset_at = random_.below(200);
  const Time give_up = simulation_->timeline().now() + kPatience;
  while (receive_left_ != 0 || send_left_ != 0) {
    if (simulation_->timeline().now() > give_up) return "the traffic of a round does not end";
    const auto pause = microseconds{1 + static_cast<std::int64_t>(random_.below(25))};
    if (const std::string wrong = agent_->run_for(pause); !wrong.empty()) return wrong;
    if (const std::string wrong = problem(); !wrong.empty()) return wrong;
    if (reset_in_it && receive_left_ + send_left_ < reset_at) return {};
    if (const std::string wrong = act(); !wrong.empty()) return wrong;
  }
  if (const std::string wrong = quiesce(); !wrong.empty()) return wrong;
  return statistics();
}

// With nothing under way, the device's statistics are those of the models.
std::string RandomRun::statistics() {
  if (!plan_.agent.has(regs::kFeatureDeviceStats)) return {};
  if (!statistics_.ask(*agent_)) return "statistics find no room";
  if (const std::string wrong =
          agent_->run_for(kPatience, [&] { return !agent_->command_outstanding(); });
      !wrong.empty()) {
    return wrong;
  }
  if (agent_->command_outstanding()) return "statistics are not answered";
  statistics_.judge(*agent_, scoreboard_);
  return statistics_.error();
}

std::string RandomRun::act() {
  if (percent(40)) command();
  if (percent(10)) mask_some();
  // A command may name the queue; what it gets then depends on who is first.
  if (!plan_.kind && plan_.agent.has(regs::kFeatureRingReset) && percent(6) &&
      !agent_->command_outstanding()) {
    return reset_queue();
  }
  return {};
}

void RandomRun::command() {
  if (agent_->command_outstanding()) return;
  if (plan_.agent.has(regs::kFeatureDeviceStats) && percent(10)) {
    ++commands_;
    log("statistics");
    if (!statistics_.ask(*agent_)) scoreboard_.complain("no room for statistics");
    return;
  }
  auto made = random_command(random_, plan_.agent, simulation_->profile(), mix_, control_);
  if (!made) return;
  if (made->accepted) {
    if (made->name == "mac_table") {  // the best-effort filter is open while it is rewritten
      ReceiveConfig open = made->after.receive;
      open.filter.alluni = open.filter.allmulti = true;
      scoreboard_.changing(open);
    }
    scoreboard_.changing(made->after.receive);
  }
  const bool issued =
      agent_->command(made->command_class, made->command, made->data, made->result.size(),
                      [this, name = made->name, accepted = made->accepted, result = made->result](
                          std::uint8_t ack, std::span<const std::byte> answer) {
                        cover_command(coverage_, name, ack == regs::kCtrlAckOk);
                        log(name + " done");
                        if ((ack == regs::kCtrlAckOk) != accepted) {
                          scoreboard_.complain(fmt::format("command {}: ack {}", name, ack));
                        } else if (!std::ranges::equal(answer, result)) {
                          scoreboard_.complain(fmt::format("command {}: wrong answer", name));
                        }
                        if (accepted) scoreboard_.changed(simulation_->timeline().now());
                      });
  if (!issued) {
    scoreboard_.complain(fmt::format("command {} finds no room", made->name));
    return;
  }
  ++commands_;
  std::string data;
  for (const std::byte byte : made->data) data += fmt::format("{:02x}", std::to_integer<int>(byte));
  log(made->name + " " + data.substr(0, 60));
  if (made->accepted) {
    if (made->after.moderation != control_.moderation) moderated_ = true;
    pairs_cut_ = pairs_cut_ || made->after.receive.pairs < control_.receive.pairs;
    control_ = made->after;
  }
}

// Masks a vector for a while.
void RandomRun::mask_some() {
  const unsigned vector =
      static_cast<unsigned>(random_.below(2 * std::uint64_t{agent_->pairs()} + 1));
  agent_->mask(vector, true);
  simulation_->timeline().after(Duration{static_cast<std::int64_t>(random_.below(60'000'000))},
                                [this, vector] { agent_->mask(vector, false); });
}

std::string RandomRun::reset_queue() {
  const auto queue = static_cast<unsigned>(random_.below(2 * std::uint64_t{agent_->pairs()}));
  scoreboard_.losing();
  log(fmt::format("reset of virtqueue {}", queue));
  if (const std::string wrong = agent_->reset_queue(queue); !wrong.empty()) return wrong;
  scoreboard_.reset_done(queue);
  statistics_.losing();
  control_.moderation[queue] = queue % 2 == 0 ? control_.receive_all : control_.transmit_all;
  cover_reset(coverage_, queue % 2 == 0 ? "rx queue" : "tx queue",
              receive_left_ != 0 || send_left_ != 0);
  return problem();
}

std::string RandomRun::reset_device() {
  const bool traffic = receive_left_ != 0 || send_left_ != 0;
  cover_session(coverage_, *agent_, moderated_);
  cover_reset(coverage_, "device", traffic);
  scoreboard_.losing();
  log("reset");
  if (const std::string wrong = agent_->stop(); !wrong.empty()) return wrong;
  scoreboard_.reset_done({});
  send_left_ = 0;
  receive_left_ = 0;
  if (const std::string wrong = quiesce(); !wrong.empty()) return wrong;
  return problem();
}

// Until nothing has happened for a while.
std::string RandomRun::quiesce() {
  const Time give_up = simulation_->timeline().now() + kPatience;
  const auto progress = [&] {
    return scoreboard_.passed() + scoreboard_.sent() + agent_->used() + agent_->interrupts() +
           (agent_->command_outstanding() ? 1 : 0);
  };
  for (std::uint64_t before = ~std::uint64_t{0}; before != progress();) {
    before = progress();
    if (const std::string wrong = agent_->run_for(kQuiet); !wrong.empty()) return wrong;
    if (before == progress() && agent_->running()) {
      if (const std::string wrong = agent_->settle(); !wrong.empty()) return wrong;
      if (const std::string wrong = agent_->run_for(kQuiet); !wrong.empty()) return wrong;
    }
    if (const std::string wrong = problem(); !wrong.empty()) return wrong;
    if (simulation_->timeline().now() > give_up) return "does not come to rest";
  }
  if (agent_->command_outstanding()) return "a command is not answered";
  if (const std::string wrong = scoreboard_.settle(); !wrong.empty()) return wrong;
  return balance();
}

// Every frame is somewhere, and the device's counters say where.
std::string RandomRun::balance() {
  std::uint64_t count[regs::kCounters.size()];
  std::uint64_t receive_drops = 0;
  for (unsigned number = 0; number < regs::kCounters.size(); ++number) {
    count[number] = agent_->counter(number);
    const auto& info = regs::kCounters[number];
    if (info.drop && info.name.starts_with("rx_")) receive_drops += count[number];
  }
  std::string wrong;
  const auto equal = [&](const char* what, std::uint64_t is, std::uint64_t should_be) {
    if (is != should_be && wrong.empty()) {
      wrong = fmt::format("{}: {} and not {}", what, is, should_be);
    }
  };
  const std::uint64_t delivered = count[regs::kCounterRxDelivered];
  const std::uint64_t merged = count[regs::kCounterRxLroMerged];
  equal("received = delivered + merged + dropped", delivered + merged + receive_drops,
        scoreboard_.passed());
  equal("rx_delivered", delivered, agent_->delivered());
  equal("tx_frames", count[regs::kCounterTxFrames], scoreboard_.sent());
  equal("tx_bytes", count[regs::kCounterTxBytes], scoreboard_.sent_bytes());
  equal("interrupts", count[regs::kCounterInterrupts], agent_->interrupts());
  equal("tx_underrun", count[regs::kCounterTxUnderrun], 0);
  if (merged < scoreboard_.merged() && wrong.empty()) {
    wrong = fmt::format("rx_lro_merged: {}, and {} were seen", merged, scoreboard_.merged());
  }
  if (!scoreboard_.ever_lossy()) {
    if (count[regs::kCounterRxDropNoFit] + count[regs::kCounterRxDropNoBuffer] == 0) {
      equal("rx_lro_merged", merged, scoreboard_.merged());
    }
    equal("tx_drop_bad", count[regs::kCounterTxDropBad], scoreboard_.refused());
    equal("tx_csum", count[regs::kCounterTxCsum], scoreboard_.offloads());
    equal("tx_tso", count[regs::kCounterTxTso], scoreboard_.super_frames());
    equal("tx_segments", count[regs::kCounterTxSegments], scoreboard_.segments());
  }
  const std::uint64_t lost = count[regs::kCounterRxDropFifo] + count[regs::kCounterRxDropNoFit] +
                             count[regs::kCounterRxDropNoBuffer];
  // A driver that is told late may leave one of several queues without buffers.
  if (plan_.kind && agent_->running() && !pairs_cut_ && !(moderated_ && agent_->pairs() > 1)) {
    equal("frames lost, with room for all", lost - unkind_losses_, 0);
  }
  unkind_losses_ = lost;
  pairs_cut_ = false;
  const std::uint64_t filtered = count[regs::kCounterRxDropFilter];
  if (wrong.empty() && filtered > scoreboard_.filtered_most()) {
    wrong = fmt::format("rx_drop_filter: {}, and at most {} were to be kept out", filtered,
                        scoreboard_.filtered_most());
  }
  return wrong;
}

golden::Bytes RandomRun::next_frame() {
  if (run_left_ == 0 && percent(8)) {  // a burst of one connection, with a few others among it
    run_left_ = 10 + random_.below(30);
    run_ = random_.below(flows_.size());
  }
  if (run_left_ != 0 && percent(85)) {
    --run_left_;
    return golden::build(flows_[run_].next());
  }
  if (percent(40)) return golden::build(flows_[random_.below(flows_.size())].next());
  return golden::build(golden::random_recipe(random_, mix_));
}

const sim::WireFrame* RandomRun::peek() {
  if (!loaded_) {
    if (receive_left_ == 0) return nullptr;
    --receive_left_;
    frame_ = next_frame();
    wire_frame_ = {frame_, next_start_, sim::WireFault::none};
    if (percent(2)) {
      wire_frame_.fault = percent(50) ? sim::WireFault::bad_fcs : sim::WireFault::code_error;
    }
    // Some frames come back to back, the others make up for it.
    const auto wire = static_cast<std::int64_t>((frame_.size() + kWireOverhead) * 8'000'000 /
                                                simulation_->profile().link_mbps);
    const std::int64_t average = wire * 100 / plan_.load_percent;
    next_start_ = std::max(next_start_, simulation_->timeline().now()) +
                  Duration{percent(50) ? wire / 2 : 2 * average - wire / 2};
    loaded_ = true;
  }
  return &wire_frame_;
}

void RandomRun::pop() {
  loaded_ = false;
  ++frames_;
}

void RandomRun::send_burst(std::uint64_t session) {
  if (session != session_ || send_left_ == 0) {
    sending_ = false;
    return;
  }
  const unsigned pairs = control_.receive.pairs;
  for (std::uint64_t n = 1 + random_.below(8); n != 0 && send_left_ != 0; --n) {
    if (!transmit_ready_) {
      transmit_ = golden::random_transmit(random_, transmit_mix_);
      if (percent(3)) transmit_ = golden::spoil(random_, std::move(transmit_));
      if (percent(5)) transmit_.header.flags |= kUnknownFlags;
      transmit_ready_ = true;
    }
    const auto pair = static_cast<unsigned>(random_.below(pairs));
    if (!agent_->send(pair, transmit_.header, transmit_.bytes)) break;
    scoreboard_.queued(pair, transmit_.header, transmit_.bytes);
    transmit_ready_ = false;
    --send_left_;
    ++frames_;
  }
  simulation_->timeline().after(Duration{static_cast<std::int64_t>(random_.below(8'000'000))},
                                [this, session] { send_burst(session); });
}

}  // namespace nicroscope::test
