// SPDX-License-Identifier: Apache-2.0
// The same targets under libFuzzer, one executable each. TWTRACE_FUZZ_TARGET names the target.
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const twtrace::fuzz::Target* const target = twtrace::fuzz::find_target(TWTRACE_FUZZ_TARGET);
  target->run({data, size});
  return 0;
}
