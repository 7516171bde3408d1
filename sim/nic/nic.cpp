// SPDX-License-Identifier: Apache-2.0
#include "sim/nic/nic.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "sim/base/failure.h"
#include "sim/nic/nic_models.h"

namespace nicroscope::sim {

namespace {

struct Model {
  std::string_view profile;
  std::string_view variant_name;
  Variant variant;
  std::unique_ptr<Nic> (*make)(const NicConnections& connections);
};

constexpr Model kModels[] = {
#define NICROSCOPE_X(profile, variant, function) {#profile, #variant, Variant::variant, function},
    NICROSCOPE_MODELS(NICROSCOPE_X)
#undef NICROSCOPE_X
};

}  // namespace

Result<std::unique_ptr<Nic>> make_nic(std::string_view profile, Variant variant,
                                      const NicConnections& connections) {
  std::string built;
  for (const Model& model : kModels) {
    if (model.profile == profile && model.variant == variant) {
      try {
        return model.make(connections);
      } catch (const SimulationFailure& failure) {
        return Error{failure.what()};
      }
    }
    built += fmt::format(" {}({})", model.profile, model.variant_name);
  }
  return Error{
      fmt::format("profile {} was not built in this variant; built are{}", profile, built)};
}

}  // namespace nicroscope::sim
