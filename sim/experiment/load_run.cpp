// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/load_run.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "sim/experiment/poll_app.h"
#include "sim/experiment/udp_receiver.h"
#include "sim/machine/receive_drops.h"
#include "sim/trace/count_sink.h"
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

/// Passes on the events of a part of the time.
class EventWindow final : public TraceSink {
 public:
  EventWindow(TraceSink& sink, const TimeWindow& window) : sink_(sink), window_(window) {}
  void on_event(const TraceEvent& event) override {
    if (window_.holds(event.time)) sink_.on_event(event);
  }

 private:
  TraceSink& sink_;
  const TimeWindow& window_;
};

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

/// What can be read at any moment without disturbing anything.
struct Moment {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t freed = 0;  ///< by the stack, with a reason
  std::uint64_t interrupts = 0;
  std::uint64_t rx_interrupts = 0;
  std::uint64_t tx_interrupts = 0;
  std::uint64_t polls = 0;
  std::uint64_t polls_done = 0;
  std::uint64_t polls_emptied = 0;
  kernel::CpuTime cpu;         ///< of all
  std::vector<Duration> busy;  ///< each
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
        far_(machine_->simulation().wire(), kFarMac, options.load.flows),
        receiver_(machine_->stack(), kPort) {
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
      stack.ipv4.sysctl.ip_forward = options_.workload == Workload::forward;
      net::SystemCalls sys(stack);
      const auto fd = sys.socket(net::address_family::inet, net::sock_type::dgram);
      const net::sockaddr to = net::ipv4_endpoint{{kSource}, kHelloPort};
      if (fd) static_cast<void>(sys.sendto(fd.value(), std::array<std::byte, 1>{}, 0, &to));
      machine_->host().usleep(std::chrono::milliseconds{1});
    });
    if (!failure.empty()) return failure;
    if (problem.empty() && far_.others() < 2) problem = "the neighbour was not found";
    if (!problem.empty()) return problem;
    if (options_.workload == Workload::local)
      receiver_.start(options_.receiver_cpu % machine_->host().cpus());
    if (std::string late = machine_->run_until(kLoadStart); !late.empty()) return late;
    if (options_.workload == Workload::local && !receiver_.ready()) return "no receiver";
    return {};
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
    const bool forward = options_.workload == Workload::forward;
    load.destination_address = forward ? kDestination : host_.value;
    load.destination_port = options_.workload == Workload::echo
                                ? static_cast<std::uint16_t>(options_.scenario.host.echo_port)
                                : kPort;
    generator_.emplace(load);
    drops_before_ = stack_drops();
    if (load.outstanding != 0) far_.on_returned([this](Time now) { generator_->returned(now); });
    if (const Observation& observe = options_.observe; observe.from_frame != 0) {
      generator_->on_begun([this, &observe](std::uint64_t number, Time now) {
        if (number == observe.from_frame) watched_->from = now;
        if (number == observe.to_frame) watched_->to = now;
      });
    }
    far_.measure(from, to);
    receiver_.measure(from, to);
    if (app_) app_->measure(from, to);
    far_.set_load(&*generator_);
    if (std::string problem = machine_->run_until(from); !problem.empty()) return problem;
    const Moment before = look();
    if (std::string problem = machine_->run_until(to); !problem.empty()) return problem;
    report(before, look());
    return drain();
  }

  // Until nothing changes any more.
  std::string drain() {
    unsigned quiet = 0;
    Moment last = look();
    for (unsigned step = 0; quiet < kQuietSteps; ++step) {
      if (step == kMostSteps) return "the machine does not come to rest after the load";
      const Time now = machine_->simulation().timeline().now();
      if (std::string problem = machine_->run_until(now + kStep); !problem.empty()) return problem;
      const Moment next = look();
      const bool still = next.sent == last.sent && next.delivered == last.delivered &&
                         next.freed == last.freed && next.polls == last.polls;
      quiet = still && generator_->ended() ? quiet + 1 : 0;
      last = next;
    }
    return {};
  }

  [[nodiscard]] Moment look() {
    Moment moment;
    moment.sent = generator_->sent();
    moment.delivered = options_.workload != Workload::local ? far_.returned()
                       : app_                               ? app_->received()
                                                            : receiver_.received();
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

  void report(const Moment& before, const Moment& after) {
    const double seconds = std::chrono::duration<double>(options_.window).count();
    const auto rate = [&](std::uint64_t a, std::uint64_t b) {
      return static_cast<double>(b - a) / seconds;
    };
    const auto share = [&](Duration a, Duration b) {
      return std::chrono::duration<double>(b - a).count() / seconds;
    };
    result_.window_sent = after.sent - before.sent;
    result_.offered_pps = rate(before.sent, after.sent);
    result_.delivered_pps = rate(before.delivered, after.delivered);
    result_.cpu = {share(before.cpu.hardirq, after.cpu.hardirq),
                   share(before.cpu.softirq, after.cpu.softirq),
                   share(before.cpu.user + before.cpu.system, after.cpu.user + after.cpu.system)};
    for (std::size_t cpu = 0; cpu < after.busy.size(); ++cpu) {
      result_.cpu_busy.push_back(share(before.busy[cpu], after.busy[cpu]));
    }
    result_.interrupts = after.interrupts - before.interrupts;
    result_.rx_interrupts = after.rx_interrupts - before.rx_interrupts;
    result_.tx_interrupts = after.tx_interrupts - before.tx_interrupts;
    result_.polls = after.polls - before.polls;
    result_.polls_emptied = after.polls_emptied - before.polls_emptied;
    result_.polls_full = result_.polls - (after.polls_done - before.polls_done);
  }

  // After the load: what became of every frame.
  std::string judge() {
    constexpr double kNanosecondsPerMicrosecond = 1000;
    result_.trace_hash = hash_.value();
    result_.sent = generator_->sent();
    result_.delivered = look().delivered;
    const Histogram& latency = options_.workload != Workload::local ? far_.latency()
                               : app_                               ? app_->latency()
                                                                    : receiver_.latency();
    result_.latency_us_median =
        static_cast<double>(latency.quantile(0.5)) / kNanosecondsPerMicrosecond;
    result_.latency_us_p99 =
        static_cast<double>(latency.quantile(0.99)) / kNanosecondsPerMicrosecond;
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

  const LoadOptions options_;
  const std::shared_ptr<TimeWindow> watched_;
  const bool polls_ = options_.scenario.host.receive == "poll";
  LoadResult result_;
  StackDrops drops_before_{};
  // Processes that end with the machine are traced: sinks outlive it.
  std::unique_ptr<TextSink> text_;
  std::optional<EventWindow> text_window_;
  HashSink hash_;
  CountSink counts_;
  EmptiedCount emptied_;
  std::unique_ptr<Machine> machine_;
  FarEnd far_;
  UdpReceiver receiver_;
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
