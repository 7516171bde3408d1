// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/pcap_sink.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace nicroscope::sim {

namespace {
constexpr int kSnapLength = 65536;
}

Result<std::unique_ptr<PcapWriter>> PcapWriter::create(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    return Error{fmt::format("cannot write {}: it is a directory", path)};
  }
  std::unique_ptr<PcapWriter> writer(new PcapWriter(path));
  writer->format_ =
      pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_NANO);
  writer->file_ = pcap_dump_open(writer->format_, writer->partial_.c_str());
  if (writer->file_ == nullptr) {
    return Error{fmt::format("cannot write {}: {}", path, std::strerror(errno))};
  }
  return writer;
}

PcapWriter::~PcapWriter() {
  if (file_ != nullptr) {
    pcap_dump_close(file_);
    std::remove(partial_.c_str());
  }
  if (format_ != nullptr) pcap_close(format_);
}

void PcapWriter::write(Time time, std::span<const std::byte> frame) {
  const std::int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
  header.ts.tv_usec = static_cast<suseconds_t>(ns % 1'000'000'000);
  header.len = header.caplen = static_cast<bpf_u_int32>(frame.size());
  pcap_dump(reinterpret_cast<unsigned char*>(file_), &header,       // NOLINT: libpcap's shape
            reinterpret_cast<const unsigned char*>(frame.data()));  // NOLINT
  ++frames_;
}

std::optional<Error> PcapWriter::close() {
  const bool written = pcap_dump_flush(file_) == 0;
  const int reason = errno;
  pcap_dump_close(file_);
  file_ = nullptr;
  if (!written) {
    std::remove(partial_.c_str());
    return Error{fmt::format("cannot write {}: {}", path_, std::strerror(reason))};
  }
  if (std::rename(partial_.c_str(), path_.c_str()) != 0) {
    const Error error{fmt::format("cannot write {}: {}", path_, std::strerror(errno))};
    std::remove(partial_.c_str());
    return error;
  }
  return std::nullopt;
}

}  // namespace nicroscope::sim
