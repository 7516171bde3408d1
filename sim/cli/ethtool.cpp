// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/cli/command.h"
#include "sim/live/control_socket.h"

namespace nicroscope::cli {
namespace {

struct Arguments {
  std::string instance;
  CLI::App* app = nullptr;  ///< has what is ethtool's own
};

// The only instance, where none is named.
std::string socket_of(const std::string& instance) {
  if (instance.find('/') != std::string::npos) return instance;
  if (!instance.empty()) return sim::control_path(instance);
  const std::vector<std::string> names = sim::control_instances();
  if (names.empty()) {
    throw sim::BadInput("ethtool: no instance runs; `nicroscope tap NAME` starts one");
  }
  if (names.size() > 1) {
    throw sim::BadInput(fmt::format("ethtool: several instances run; --instance takes one of {}",
                                    fmt::join(names, ", ")));
  }
  return sim::control_path(names.front());
}

int run(const Arguments& arguments) {
  std::vector<std::string> words = arguments.app->remaining();
  words.insert(words.begin(), "ethtool");
  auto reply = sim::send_command(socket_of(arguments.instance), words);
  if (!reply) throw sim::BadInput("ethtool: " + reply.error());
  fmt::print("{}", reply->out);
  fmt::print(stderr, "{}", reply->err);
  return reply->status;
}

}  // namespace

Action add_ethtool(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "ethtool", "Ask or set the interface of a running instance, in ethtool's own words");
  app->add_option("--instance", arguments->instance,
                  "Its name, as given to tap, or the path of its socket; before ethtool's words");
  app->prefix_command();
  arguments->app = app;
  return [arguments] { return run(*arguments); };
}

}  // namespace nicroscope::cli
