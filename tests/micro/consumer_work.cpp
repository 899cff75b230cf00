// SPDX-License-Identifier: Apache-2.0
// A fixed amount of the work of consumer_bench, for counting its instructions: no clock, no loop of unknown length.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "micro/recorded.hpp"

namespace {

/// What is counted, apart from making the records.
extern "C" __attribute__((noinline)) std::size_t measured_count(const twtrace::bench::Recorded& ring,
                                                                twtrace::model::PeerTable& peers) {
  return ring.count_into(peers);
}

extern "C" __attribute__((noinline)) std::size_t measured_json(const twtrace::bench::Recorded& ring,
                                                               std::string& line) {
  return ring.write_json(line);
}

}  // namespace

int main() {
  const twtrace::bench::Recorded ring(1000, 20'000);
  twtrace::model::PeerTable peers(100'000);
  std::string line;
  const std::size_t counted = measured_count(ring, peers);
  const std::size_t written = measured_json(ring, line);
  std::printf("%zu records, %zu bytes of JSON\n", counted, written);
  return counted == ring.records() && written > 0 ? 0 : 1;
}
