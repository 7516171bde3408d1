// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/load_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "sim/experiment/poll_app.h"
#include "sim/experiment/udp_receiver.h"
#include "sim/machine/receive_drops.h"
#include "sim/trace/count_sink.h"
#include "sim/trace/event_window.h"
#include "sim/trace/hash_sink.h"
#include "sim/trace/text_sink.h"
#include "sim/wire/far_end.h"
#include "stack/socket/syscalls.h"

namespace nicroscope::sim {
namespace {

constexpr std::array<std::uint8_t, 6> kFarMac{0x02, 0, 0, 0, 0, 0x09};
constexpr std::uint32_t kSource = 0x0a02'0007;       // 10.2.0.7, the load's sender
constexpr std::uint32_t kDestination = 0x0a01'0005;  // 10.1.0.5, whom it is for when forwarded
constexpr std::uint16_t kPort = 9;
constexpr std::uint16_t kHelloPort = 4000;
const net::ipv4_prefix kFarNetworks{{0x0a00'0000}, 8};  // all of the above

constexpr Time kLoadStart = std::chrono::milliseconds{20};  // the machine is up by then
constexpr Duration kStep = std::chrono::milliseconds{2};
constexpr unsigned kQuietSteps = 3;    // without change: nothing is left to be done
constexpr unsigned kMostSteps = 5000;  // of waiting for that
constexpr std::int64_t kPicosecondsPerNanosecond = 1000;

Time after_load_start(Duration time) {
  return time == Duration::max() ? kNever : kLoadStart + time;
}

/// What is watched; by frames, it is set when they come.
std::shared_ptr<TimeWindow> window_of(const Observation& observe) {
  if (observe.from_frame != 0) return std::make_shared<TimeWindow>(TimeWindow{kNever, kNever});
  return std::make_shared<TimeWindow>(
      TimeWindow{after_load_start(observe.from), after_load_start(observe.to)});
}

/// Counts polls that left polled mode after they had frames: transmit queues' have none.
struct EmptiedCount final : TraceSink {
  void on_event(const TraceEvent& event) override {
    if (event.point == point::napi_complete_done && event.arg != 0) ++count;
  }
  std::uint64_t count = 0;
};

/// Keeps what net_dim set.
struct DimSteps final : TraceSink {
  void on_event(const TraceEvent& event) override {
    if (event.point != point::net_dim) return;
    steps.push_back({event.time - kLoadStart, static_cast<unsigned>(event.arg & 0xffffU),
                     static_cast<unsigned>(event.arg >> 16U)});
  }
  std::vector<DimStep> steps;
};

/// Interrupts of the vectors whose names have `part` in them, of all CPUs.
std::uint64_t interrupts_of(kernel::Kernel& host, std::string_view part) {
  std::istringstream lines(host.irq().proc_interrupts());
  std::uint64_t sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) == std::string::npos) continue;
    std::istringstream words(line);
    std::string vector;
    words >> vector;
    for (std::uint64_t count = 0; words >> count;) sum += count;
  }
  return sum;
}

class LoadRun {
 public:
  explicit LoadRun(const LoadOptions& options)
      : options_(options),
        watched_(window_of(options.observe)),
        machine_(Machine::create(machine_options(options, watched_))),
        far_(machine_->simulation().wire(), kFarMac, options.load.flows) {
    Simulation& simulation = machine_->simulation();
    if (const Observation& observe = options.observe; !observe.trace.empty()) {
      auto text = TextSink::create(observe.trace, simulation.clock());
      if (!text) throw BadInput(text.error());
      text_ = std::move(*text);
      text_window_.emplace(*text_, *watched_);
      simulation.trace().add(*text_window_);
    }
    simulation.trace().add(hash_);
    simulation.trace().add(counts_);
    simulation.trace().add(emptied_);
    simulation.trace().add(dim_);
    simulation.wire().add_sink(hash_);
  }

  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;
  ~LoadRun() { machine_->host().shutdown(); }

  [[nodiscard]] LoadResult run() {
    const auto begin = std::chrono::steady_clock::now();
    result_.problem = prepare();
    if (result_.problem.empty()) result_.problem = load();
    if (app_) app_->stop();
    if (result_.problem.empty()) result_.problem = judge();
    result_.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result_.cycles = machine_->simulation().counters().cycles;
    result_.cycles_skipped = machine_->simulation().counters().cycles_skipped;
    if (watched_->from == kNever && result_.problem.empty()) {
      throw BadInput(fmt::format("--window: frame {} was asked for, the load of this run has {}",
                                 options_.observe.from_frame, result_.sent));
    }
    if (text_) {
      machine_->simulation().trace().remove(*text_window_);
      if (const auto error = text_->close()) throw BadInput(error->message);
    }
    return std::move(result_);
  }

 private:
  static MachineOptions machine_options(const LoadOptions& options,
                                        std::shared_ptr<const TimeWindow> watched) {
    MachineOptions machine;
    machine.scenario = options.scenario;
    machine.no_skip = options.no_skip;
    machine.assertions = options.assertions;
    machine.wave = options.observe.wave;
    machine.wave_window = std::move(watched);
    return machine;
  }

  // Brings the machine up as a router or a server, its neighbour known.
  std::string prepare() {
    if (std::string problem = machine_->boot(); !problem.empty()) return problem;
    net::NetStack& stack = machine_->stack();
    host_ = stack.ipv4.fib.inet_select_addr(machine_->netdev(), net::kInaddrAny);
    if (polls_) return prepare_polling();
    const net::ipv4_address neighbour{host_.value ^ 1U};
    std::string problem;
    const std::string failure = machine_->run_process("ip", [&] {
      if (stack.ipv4.fib.route_add({kFarNetworks, neighbour, &machine_->netdev(), 1}) != net::kOk) {
        problem = "host.address: its network must have room for a neighbour";
        return;
      }
      // The load's frames are to be told apart.
      if (!net::dev_disable_lro(machine_->netdev())) problem = "the device merges frames";
      // A router with one arm would send its neighbours redirects; this one is to be measured.
      stack.ipv4.sysctl.send_redirects = false;
      stack.ipv4.sysctl.ip_forward = forwards();
      net::SystemCalls sys(stack);
      const auto fd = sys.socket(net::address_family::inet, net::sock_type::dgram);
      const net::sockaddr to = net::ipv4_endpoint{{kSource}, kHelloPort};
      if (fd) static_cast<void>(sys.sendto(fd.value(), std::array<std::byte, 1>{}, 0, &to));
      machine_->host().usleep(std::chrono::milliseconds{1});
    });
    if (!failure.empty()) return failure;
    if (problem.empty() && far_.others() < 2) problem = "the neighbour was not found";
    if (!problem.empty()) return problem;
    if (options_.workload == Workload::local) start_receivers();
    if (std::string late = machine_->run_until(kLoadStart); !late.empty()) return late;
    const auto ready = [](const UdpReceiver& receiver) { return receiver.ready(); };
    return std::ranges::all_of(receivers_, ready) ? std::string{} : "no receiver";
  }

  void start_receivers() {
    for (unsigned i = 0; i < options_.receivers; ++i) {
      UdpReceiver& receiver =
          receivers_.emplace_back(machine_->stack(), static_cast<std::uint16_t>(kPort + i));
      if (options_.connected) {
        receiver.connect_to({{kSource}, static_cast<std::uint16_t>(Generator::kFirstPort + i)});
      }
      receiver.start((options_.receiver_cpu + i) % machine_->host().cpus());
    }
  }

  [[nodiscard]] bool forwards() const {
    return options_.phases.empty()
               ? options_.workload == Workload::forward
               : std::ranges::any_of(options_.phases, [](const LoadPhase& phase) {
                   return phase.workload == Workload::forward;
                 });
  }

  // The device is the program's: it knows its next hop, and the stack has none.
  std::string prepare_polling() {
    if (options_.workload == Workload::echo) return "host.receive: nobody echoes by polling";
    app_.emplace(*machine_, options_.workload == Workload::forward ? &kFarMac : nullptr);
    app_->start(options_.receiver_cpu % machine_->host().cpus());
    return machine_->run_until(kLoadStart);
  }

  std::string load() {
    const Time from = kLoadStart + options_.warm_up;
    const Time to = from + options_.window;
    GeneratorOptions load = options_.load;
    load.start = kLoadStart;
    load.end = to;
    load.seed = options_.scenario.seed;
    load.destination = machine_->netdev().dev_addr().bytes;
    load.source = kFarMac;
    load.source_address = kSource;
    load.destination_ports = options_.receivers;
    address(load, options_.workload);
    for (const LoadPhase& phase : options_.phases) {
      address(load.phases.emplace_back(phase.load), phase.workload);
    }
    generator_.emplace(load);
    drops_before_ = stack_drops();
    if (load.outstanding != 0 || !phases_.empty()) {
      far_.on_returned([this, from, to](Time now, const Stamp& stamp) {
        generator_->returned(now, stamp.sequence);
        if (!phases_.empty() && stamp.due >= from && stamp.due < to) {
          phases_[phase_at(stamp.due).first].latency.add(
              static_cast<std::uint64_t>((now - stamp.due).count() / kPicosecondsPerNanosecond));
        }
      });
    }
    if (const Observation& observe = options_.observe; observe.from_frame != 0) {
      generator_->on_begun([this, &observe](std::uint64_t number, Time now) {
        if (number == observe.from_frame) watched_->from = now;
        if (number == observe.to_frame) watched_->to = now;
      });
    }
    far_.measure(from, to);
    for (UdpReceiver& receiver : receivers_) receiver.measure(from, to);
    if (app_) app_->measure(from, to);
    far_.set_load(&*generator_);
    if (std::string problem = machine_->run_until(from); !problem.empty()) return problem;
    if (std::string problem = measure(from, to); !problem.empty()) return problem;
    return drain();
  }

  void address(GeneratorPhase& load, Workload workload) const {
    load.destination_address = workload == Workload::forward ? kDestination : host_.value;
    load.destination_port = workload == Workload::echo
                                ? static_cast<std::uint16_t>(options_.scenario.host.echo_port)
                                : kPort;
  }

  // The phase that belongs to a time of the load, and its end.
  [[nodiscard]] std::pair<std::size_t, Time> phase_at(Time time) const {
    Duration cycle{0};
    for (const LoadPhase& phase : options_.phases) cycle += phase.load.length;
    Time end = kLoadStart + (time - kLoadStart) / cycle * cycle;
    for (std::size_t i = 0;; ++i) {
      end += options_.phases[i].load.length;
      if (time < end) return {i, end};
    }
  }

  // From `from`, where the simulation is, to `to`, phase by phase.
  std::string measure(Time from, Time to) {
    Moment all;
    Moment before = look(from);
    for (Time time = from; time < to;) {
      const auto [phase, end] = phases_.empty() ? std::pair{std::size_t{0}, to} : phase_at(time);
      time = std::min(end, to);
      if (std::string problem = machine_->run_until(time); !problem.empty()) return problem;
      const Moment after = look(time);
      all.add(before, after);
      if (!phases_.empty()) phases_[phase].sum.add(before, after);
      before = after;
    }
    static_cast<WindowResult&>(result_) = all.result();
    return {};
  }

  // Until nothing changes any more.
  std::string drain() {
    unsigned quiet = 0;
    Moment last = look(Time{0});
    for (unsigned step = 0; quiet < kQuietSteps; ++step) {
      if (step == kMostSteps) return "the machine does not come to rest after the load";
      const Time now = machine_->simulation().timeline().now();
      if (std::string problem = machine_->run_until(now + kStep); !problem.empty()) return problem;
      const Moment next = look(Time{0});
      const bool still = next.sent == last.sent && next.delivered == last.delivered &&
                         next.freed == last.freed && next.polls == last.polls;
      quiet = still && generator_->ended() ? quiet + 1 : 0;
      last = next;
    }
    return {};
  }

  [[nodiscard]] Moment look(Time now) {
    Moment moment;
    moment.time = now;
    moment.sent = generator_->sent();
    moment.delivered = far_.returned();
    if (app_ && options_.workload == Workload::local) moment.delivered = app_->received();
    for (const UdpReceiver& receiver : receivers_) moment.delivered += receiver.received();
    moment.freed = machine_->stack().net.skbs().dropped();
    moment.interrupts = machine_->host().irq().total();
    moment.rx_interrupts = interrupts_of(machine_->host(), "-input.");
    moment.tx_interrupts = interrupts_of(machine_->host(), "-output.");
    moment.polls = counts_.count(point::napi_poll);
    moment.polls_done = counts_.count(point::napi_complete_done);
    moment.polls_emptied = emptied_.count;
    for (unsigned cpu = 0; cpu < machine_->host().cpus(); ++cpu) {
      const kernel::CpuTime time = machine_->host().cpu(cpu).time();
      moment.cpu += time;
      moment.busy.push_back(time.busy());
    }
    return moment;
  }

  /// By reason. Before the load the stack may have dropped packets of its own.
  using StackDrops = std::array<std::uint64_t, net::SKB_DROP_REASONS>;
  [[nodiscard]] StackDrops stack_drops() {
    StackDrops drops{};
    for (std::size_t i = 0; i < drops.size(); ++i) {
      drops[i] = machine_->stack().net.skbs().dropped(static_cast<net::skb_drop_reason>(i));
    }
    return drops;
  }

  // After the load: what became of every frame.
  std::string judge() {
    result_.trace_hash = hash_.value();
    result_.sent = generator_->sent();
    result_.delivered = look(Time{0}).delivered;
    result_.dim = dim_.steps;
    Histogram latency =
        options_.workload == Workload::local && app_ ? app_->latency() : far_.latency();
    for (const UdpReceiver& receiver : receivers_) latency.add(receiver.latency());
    set_latency(result_, latency);
    for (std::size_t i = 0; i < phases_.size(); ++i) {
      WindowResult phase = phases_[i].sum.result();
      set_latency(phase, phases_[i].latency);
      result_.phases.emplace_back(options_.phases[i].name, std::move(phase));
    }
    result_.drops = receive_drops(machine_->statistics());
    if (app_ && app_->no_room() != 0) result_.drops["poll_tx_full"] = app_->no_room();
    const StackDrops drops = stack_drops();
    for (std::size_t i = 0; i < net::SKB_DROP_REASONS; ++i) {
      const std::uint64_t count = drops[i] - drops_before_[i];
      if (count != 0) result_.drops[std::string(net::kDropReasons[i].name)] = count;
    }
    if (far_.misplaced() != 0) return "frames came back damaged or out of order";
    if (result_.sent != result_.delivered + result_.dropped()) {
      return fmt::format("{} frames were sent, {} delivered and {} counted as dropped",
                         result_.sent, result_.delivered, result_.dropped());
    }
    return machine_->broken_rule();
  }

  struct Phase {
    Moment sum;
    Histogram latency;
  };

  const LoadOptions options_;
  const std::shared_ptr<TimeWindow> watched_;
  std::vector<Phase> phases_{options_.phases.size()};
  const bool polls_ = options_.scenario.host.receive == "poll";
  LoadResult result_;
  StackDrops drops_before_{};
  // Processes that end with the machine are traced: sinks outlive it.
  std::unique_ptr<TextSink> text_;
  std::optional<EventWindow> text_window_;
  HashSink hash_;
  CountSink counts_;
  EmptiedCount emptied_;
  DimSteps dim_;
  std::unique_ptr<Machine> machine_;
  FarEnd far_;
  std::deque<UdpReceiver> receivers_;
  std::optional<PollApp> app_;
  std::optional<Generator> generator_;
  net::ipv4_address host_;
};

}  // namespace

std::string_view name_of(Workload workload) noexcept {
  switch (workload) {
    case Workload::forward:
      return "forward";
    case Workload::local:
      return "local";
    default:
      return "echo";
  }
}

std::uint64_t LoadResult::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : drops) sum += count;
  return sum;
}

LoadResult run_load(const LoadOptions& options) { return LoadRun(options).run(); }

}  // namespace nicroscope::sim
