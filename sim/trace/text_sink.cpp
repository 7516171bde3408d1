// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/text_sink.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/trace/point_name.h"

namespace nicroscope::sim {

Result<std::unique_ptr<TextSink>> TextSink::create(const std::string& path, const Clock& clock) {
  if (std::filesystem::is_directory(path)) {
    return Error{fmt::format("cannot write {}: it is a directory", path)};
  }
  std::unique_ptr<TextSink> sink(new TextSink(path, clock));
  sink->file_ = std::fopen(sink->partial_.c_str(), "w");
  if (sink->file_ == nullptr) {
    return Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  }
  fmt::print(sink->file_, "# time_ns cycle point frame argument\n");
  return sink;
}

TextSink::~TextSink() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(partial_.c_str());
}

void TextSink::on_event(const TraceEvent& event) {
  const PointName point = point_name(event.point);
  const std::int64_t ps = event.time.count();
  fmt::print(file_, "{}.{:03} {} {} {}", ps / 1000, ps % 1000, ps / clock_.period().count(),
             point.name, frame_name(event.frame));
  if (point.argument.empty() || point.argument == "frame") {
    fmt::print(file_, "\n");
  } else {
    fmt::print(file_, " {}={}\n", point.argument, event.arg);
  }
}

std::optional<Error> TextSink::close() {
  const bool written = std::fflush(file_) == 0 && std::ferror(file_) == 0;
  std::fclose(file_);
  file_ = nullptr;
  if (!written || std::rename(partial_.c_str(), path_.c_str()) != 0) {
    std::remove(partial_.c_str());
    return Error{fmt::format("cannot write {}", path_)};
  }
  return std::nullopt;
}

std::string frame_name(FrameId frame) {
  if (frame == kNoFrame) return "-";
  if (frame >= kFirstHostFrame) return fmt::format("tx {}", frame - kFirstHostFrame + 1);
  return fmt::format("rx {}", frame);
}

}  // namespace nicroscope::sim
