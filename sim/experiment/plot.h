// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace nicroscope::sim {

/// One line of a plot.
struct Series {
  enum class Style : std::uint8_t { line, points, dashes, dots, steps };
  std::string title;
  std::vector<std::pair<double, double>> points;
  Style style = Style::line;
  std::vector<std::string> names{};  ///< written beside the points, as far as there are
};

/// A picture: lines over common axes.
struct Plot {
  std::string name;  ///< of its files, without their endings
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  bool log_x = false;
  bool log_y = false;
  double y_step = 0;          ///< between the marks of the y axis; 0: as gnuplot likes
  bool legend_above = false;  ///< the legend has no room among the lines
};

/// Draws the plot as `folder`/NAME.svg and NAME.png by gnuplot, of which NAME.gnuplot is left for
/// changes. Returns one line saying what is wrong, or nothing.
[[nodiscard]] std::string draw(const Plot& plot, const std::filesystem::path& folder);

}  // namespace nicroscope::sim
