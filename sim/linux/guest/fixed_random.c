// SPDX-License-Identifier: Apache-2.0
// Preloaded into a User-mode Linux kernel: what it asks the host's getrandom for is the same in every
// run. NICROSCOPE_SEED in its environment chooses among sequences.
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

ssize_t getrandom(void* buffer, size_t length, unsigned flags) {
  static uint64_t state;
  static int begun;
  (void)flags;
  if (!begun) {
    const char* seed = getenv("NICROSCOPE_SEED");
    state = seed == NULL ? 0 : strtoull(seed, NULL, 10);
    begun = 1;
  }
  uint8_t* bytes = buffer;
  for (size_t i = 0; i < length; ++i) {
    // SplitMix64, a byte of each number.
    state += 0x9e3779b97f4a7c15ULL;
    uint64_t x = state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    bytes[i] = (uint8_t)(x >> 32);
  }
  return (ssize_t)length;
}
