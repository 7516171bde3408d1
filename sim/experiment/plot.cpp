// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace nicroscope::sim {
namespace {

/// Colours that remain apart for the colour-blind (Okabe and Ito).
constexpr std::array<const char*, 8> kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                              "#e69f00", "#56b4e9", "#000000", "#999999"};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

std::string style_of(const Series& series, std::size_t index) {
  const std::string colour = fmt::format("lc rgb '{}'", kColours[index % kColours.size()]);
  const std::size_t symbol = 4 + index % kColours.size();
  switch (series.style) {
    case Series::Style::points:
      return fmt::format("with points pt {} ps 1.4 {}", symbol, colour);
    case Series::Style::dashes:
      return fmt::format("with lines dt 2 lw 1.5 {}", colour);
    case Series::Style::dots:
      return fmt::format("with lines dt 3 lw 2 {}", colour);
    case Series::Style::steps:
      return fmt::format("with steps lw 2 {}", colour);
    default:
      return fmt::format("with linespoints pt {} ps 0.8 lw 2 {}", symbol, colour);
  }
}

/// To the outermost points; names beside them need room.
std::string x_range(const Plot& plot) {
  bool names = false;
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  for (const Series& series : plot.series) {
    names |= !series.names.empty();
    for (const auto& [x, y] : series.points) {
      low = std::min(low, x);
      high = std::max(high, x);
    }
  }
  if (!plot.log_x) return "set autoscale xfixmax\n";
  if (!names) return "set autoscale xfix\n";
  const double room = std::pow(high / low, 0.1);
  return fmt::format("set xrange [{:.9g}:{:.9g}]\n", low / std::sqrt(room), high * room);
}

std::string script_of(const Plot& plot) {
  std::string text = "# SPDX-License-Identifier: Apache-2.0\n";
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    text += fmt::format("$data{} << EOD\n", i);
    const Series& series = plot.series[i];
    for (std::size_t p = 0; p < series.points.size(); ++p) {
      const auto& [x, y] = series.points[p];
      text += fmt::format("{:.9g} {:.9g} \"{}\"\n", x, y,
                          p < series.names.size() ? series.names[p] : "");
    }
    text += "EOD\n";
  }
  text += fmt::format("set title {} noenhanced\n", quoted(plot.title));
  text += fmt::format("set xlabel {} noenhanced\n", quoted(plot.x_label));
  text += fmt::format("set ylabel {} noenhanced\n", quoted(plot.y_label));
  text += "set grid back lt 1 lw 1 lc rgb '#d0d0d0'\nset border 3\nset tics nomirror\n";
  if (plot.log_x) text += "set logscale x\n";
  text += x_range(plot);
  if (plot.y_step != 0) text += fmt::format("set ytics {}\n", plot.y_step);
  text += plot.log_y ? "set logscale y\n" : "set yrange [0:*]\n";
  text += plot.legend_above ? "set key tmargin center horizontal noenhanced\n"
                            : "set key top left noenhanced\n";
  std::string lines;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    lines += fmt::format("{}$data{} using 1:2 {} title {}", i == 0 ? "" : ", \\\n  ", i,
                         style_of(plot.series[i], i), quoted(plot.series[i].title));
    if (!plot.series[i].names.empty()) {
      lines += fmt::format(
          ", \\\n  $data{} using 1:2:3 with labels left offset 0.8,0.4 font ',10' notitle", i);
    }
  }
  for (const char* const kind : {"svg", "png"}) {
    const bool svg = std::string_view(kind) == "svg";
    text += fmt::format("set terminal {}\n",
                        svg ? "svg size 900,560 font 'Helvetica,14' background rgb 'white'"
                            : "pngcairo size 1200,750 font 'Sans,13' background rgb 'white'");
    text += fmt::format("set output {}\nplot {}\n", quoted(plot.name + "." + kind), lines);
  }
  return text;
}

}  // namespace

std::string draw(const Plot& plot, const std::filesystem::path& folder) {
  const std::filesystem::path script = folder / (plot.name + ".gnuplot");
  {
    std::ofstream file(script);
    file << script_of(plot);
    if (!file.flush()) return script.string() + ": cannot be written";
  }
  // The names are this program's; the folder is the working directory, so it needs no quoting.
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const std::string command = "gnuplot " + plot.name + ".gnuplot";
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
  std::filesystem::current_path(here);
  return status == 0 ? std::string{}
                     : "gnuplot failed on " + script.string() + "; is it installed?";
}

}  // namespace nicroscope::sim
