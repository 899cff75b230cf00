// SPDX-License-Identifier: Apache-2.0
// fuzz_smoke TARGET [ITERATIONS]: runs a target with mutated inputs. The seed is fixed, so a failure can be repeated.
// It finds most in a build with -DTWTRACE_SANITIZE=address,undefined.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "mutate.hpp"
#include "target.hpp"

// Absent in a build without sanitizers.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr std::uint64_t kSeed = 20260102;

std::string current_input;

void print_input() {
  std::fprintf(stderr, "input, %zu bytes: ", current_input.size());
  for (const char c : current_input) std::fprintf(stderr, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  std::fputc('\n', stderr);
}

void run(const twtrace::fuzz::Target& target) {
  target.run({reinterpret_cast<const std::uint8_t*>(current_input.data()), current_input.size()});
}

int usage() {
  std::fputs("usage: fuzz_smoke TARGET [ITERATIONS]; targets are\n", stderr);
  for (const auto& target : twtrace::fuzz::targets()) std::fprintf(stderr, "  %s\n", target.name.data());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const twtrace::fuzz::Target* target = argc > 1 ? twtrace::fuzz::find_target(argv[1]) : nullptr;
  if (target == nullptr) return usage();
  std::size_t iterations = target->iterations;
  if (argc > 2) std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), iterations);

  std::signal(SIGABRT, [](int) { print_input(); });
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_input);
  for (const std::string& seed : target->seeds) {
    current_input = seed;
    run(*target);
  }
  twtrace::fuzz::Mutator mutator(kSeed);
  for (std::size_t i = 0; i < iterations; ++i) {
    current_input = mutator.next(target->seeds);
    run(*target);
  }
  std::printf("%s: %zu inputs\n", argv[1], iterations + target->seeds.size());
  return 0;
}
