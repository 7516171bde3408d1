// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/pcap_source.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace nicroscope::sim {

namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kShortest = 60;

::pcap* open_file(const std::string& path, std::string& error) {
  std::array<char, PCAP_ERRBUF_SIZE> why{};
  ::pcap* file =
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why.data());
  if (file == nullptr) {
    error = why.data();
    if (!error.starts_with(path)) error = path + ": " + error;
  }
  return file;
}

// With the precision above, tv_usec holds nanoseconds.
std::int64_t nanoseconds(const pcap_pkthdr& header) {
  return std::int64_t{header.ts.tv_sec} * 1'000'000'000 + header.ts.tv_usec;
}

}  // namespace

Result<std::unique_ptr<PcapSource>> PcapSource::open(const std::string& path,
                                                     const PcapSourceOptions& options) {
  std::unique_ptr<PcapSource> source(new PcapSource(options));
  std::string error = source->check(path);
  if (error.empty()) source->file_ = open_file(path, error);
  if (!error.empty()) {
    return Error{error + "; accepted is a pcap or pcapng file of whole Ethernet frames"};
  }
  source->buffer_.resize(std::max(options.max_frame_bytes, kShortest));
  return source;
}

PcapSource::~PcapSource() {
  if (file_ != nullptr) pcap_close(file_);
}

// Reads the file through; what is wrong with it, or nothing.
std::string PcapSource::check(const std::string& path) {
  std::string error;
  ::pcap* file = open_file(path, error);
  if (file == nullptr) return error;
  if (const int type = pcap_datalink(file); type != DLT_EN10MB) {
    const char* name = pcap_datalink_val_to_name(type);
    error = fmt::format("{}: link type {} is not Ethernet", path,
                        name != nullptr ? name : std::to_string(type));
  }
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  int status = 0;
  while (error.empty() && (status = pcap_next_ex(file, &header, &data)) == 1) {
    ++frames_;
    bytes_ += std::max<std::uint64_t>(header->len, kShortest);
    if (frames_ == 1) first_ns_ = nanoseconds(*header);
    if (header->caplen < header->len) {
      error = fmt::format("{}: frame {} was captured in part, {} of {} bytes", path, frames_,
                          header->caplen, header->len);
    } else if (header->len < kEthernetHeader) {
      error = fmt::format("{}: frame {} of {} bytes is shorter than an Ethernet header", path,
                          frames_, header->len);
    } else if (header->len > options_.max_frame_bytes) {
      error = fmt::format("{}: frame {} of {} bytes is longer than the device takes, {}", path,
                          frames_, header->len, options_.max_frame_bytes);
    }
  }
  if (error.empty() && status == PCAP_ERROR) {
    error = fmt::format("{}: after frame {}: {}", path, frames_, pcap_geterr(file));
  }
  if (error.empty() && frames_ == 0) error = path + ": holds no frames";
  pcap_close(file);
  return error;
}

bool PcapSource::read() {
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  if (pcap_next_ex(file_, &header, &data) != 1) return false;
  const std::size_t length = std::min<std::size_t>(header->caplen, buffer_.size());
  std::memcpy(buffer_.data(), data, length);
  const std::size_t padded = std::max(length, kShortest);
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(length),
            buffer_.begin() + static_cast<std::ptrdiff_t>(padded), std::byte{0});
  const Duration since_first = std::chrono::nanoseconds{nanoseconds(*header) - first_ns_};
  frame_.bytes = {buffer_.data(), padded};
  // Times that go back, as merged captures have them, leave the order as it is.
  frame_.earliest =
      options_.start + (options_.line_rate ? Duration{0} : std::max(since_first, Duration{0}));
  return true;
}

const WireFrame* PcapSource::peek() {
  if (!loaded_) loaded_ = read();
  return loaded_ ? &frame_ : nullptr;
}

void PcapSource::pop() {
  loaded_ = false;
  ++passed_;
}

}  // namespace nicroscope::sim
