// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nicroscope::test {

/// Functional coverage: how often each combination of values of some axes was met.
class Coverage {
 public:
  struct Axis {
    std::string name;
    std::vector<std::string> values;
  };
  using Bin = std::vector<std::string>;
  /// Whether a combination has to be met; others may.
  using Required = std::function<bool(const Bin&)>;

  /// A cross of axes. Its bins count nothing as missing until `expect`.
  void declare(const std::string& cross, std::vector<Axis> axes, Required required);
  /// From now on every required bin of the cross has to be met.
  void expect(const std::string& cross) { crosses_.at(cross).expected = true; }
  /// Meets a bin. A value that its axis does not have is a bug of the caller.
  void hit(const std::string& cross, const Bin& bin);

  /// "cross: axis=value axis=value" of every required bin that was not met.
  [[nodiscard]] std::vector<std::string> missing() const;
  /// A table for people: a line for each cross, and what is missing.
  [[nodiscard]] std::string report() const;
  /// The same for programs, with the count of every bin.
  [[nodiscard]] std::string json() const;

 private:
  struct Cross {
    std::vector<Axis> axes;
    std::map<Bin, std::uint64_t> bins;
    std::map<Bin, bool> required;
    bool expected = false;
  };
  [[nodiscard]] static std::string name_of(const Cross& cross, const Bin& bin);
  [[nodiscard]] static std::vector<Bin> missing_of(const Cross& cross);

  std::map<std::string, Cross> crosses_;
};

}  // namespace nicroscope::test
