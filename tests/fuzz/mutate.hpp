// SPDX-License-Identifier: Apache-2.0
// Turns valid inputs into almost valid ones. Every run makes the same ones.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace twtrace::fuzz {

/// Deterministic for a seed. Not thread-safe.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// A seed with a few changes, or sometimes random bytes.
  std::string next(const std::vector<std::string>& seeds);

 private:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  char byte();
  void change(std::string& bytes, const std::vector<std::string>& seeds);

  std::mt19937_64 random_;
};

}  // namespace twtrace::fuzz
