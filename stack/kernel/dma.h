// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nicroscope/host_memory.h"
#include "stack/kernel/memory.h"

namespace nicroscope::kernel {

using dma_addr_t = BusAddress;

/// Who may touch memory: between map and unmap (or sync_for_cpu) a buffer is the device's.
enum class DmaOwner : std::uint8_t { cpu, device };

struct CoherentBuffer {
  std::byte* cpu = nullptr;  ///< null without memory; cleared otherwise
  dma_addr_t bus = 0;
  std::size_t size = 0;
};

/// The streaming and coherent DMA API (Linux: Documentation/core-api/dma-api.rst), with the checks
/// of CONFIG_DMA_API_DEBUG. Misuse is recorded in errors() and does not stop the run, as in Linux:
/// whoever runs the simulation treats a record as a failure.
class Dma {
 public:
  explicit Dma(Memory& memory);
  Dma(const Dma&) = delete;
  Dma& operator=(const Dma&) = delete;

  [[nodiscard]] dma_addr_t dma_map_single(const void* cpu, std::size_t size, DmaDirection dir);
  /// The arguments are those of the mapping.
  void dma_unmap_single(dma_addr_t address, std::size_t size, DmaDirection dir);
  /// Hands a mapped buffer to the CPU for a look, and back.
  void dma_sync_single_for_cpu(dma_addr_t address, std::size_t size, DmaDirection dir);
  void dma_sync_single_for_device(dma_addr_t address, std::size_t size, DmaDirection dir);

  /// Memory that CPU and device share for long: rings.
  [[nodiscard]] CoherentBuffer dma_alloc_coherent(std::size_t size);
  void dma_free_coherent(CoherentBuffer& buffer);

  /// Device if a streaming mapping that was not synced covers any of the bytes.
  [[nodiscard]] DmaOwner dma_owner(const void* cpu, std::size_t size) const noexcept;
  /// Records an error if the CPU is not the owner. `who` names the code.
  void check_cpu_owns(const void* cpu, std::size_t size, const char* who);

  [[nodiscard]] std::size_t mappings() const noexcept { return mappings_; }
  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }

 private:
  struct Node {
    dma_addr_t address;
    std::size_t size;
    DmaDirection direction;
    DmaOwner owner;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNil = ~std::uint32_t{0};

  [[nodiscard]] std::size_t page_of(dma_addr_t address) const noexcept;
  [[nodiscard]] std::uint32_t* find(dma_addr_t address, std::size_t size, DmaDirection dir,
                                    const char* who);
  void set_owner(dma_addr_t address, std::size_t size, DmaDirection dir, DmaOwner owner,
                 const char* who);
  void error(const char* who, dma_addr_t address, std::size_t size, const char* what);

  Memory& memory_;
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNil;
  std::vector<std::uint32_t> first_;  ///< mappings that start in the page, a list a page
  std::size_t longest_ = 0;           ///< pages that the longest mapping so far touched
  std::size_t mappings_ = 0;
  std::vector<std::string> errors_;
};

}  // namespace nicroscope::kernel
