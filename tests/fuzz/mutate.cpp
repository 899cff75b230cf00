// SPDX-License-Identifier: Apache-2.0
#include "mutate.hpp"

#include <algorithm>
#include <string_view>

namespace twtrace::fuzz {
namespace {

using namespace std::string_view_literals;  // keeps the NUL of a literal

constexpr std::size_t kLongest = 8192;
// Bytes that parsers treat specially, and the ends of integer ranges.
constexpr std::string_view kInteresting = "\0\x01\x7f\x80\xff\n\r\t \\:/()-=@\"',0919.\xc2\xe2\xf0\xed"sv;

}  // namespace

char Mutator::byte() {
  return below(2) == 0 ? kInteresting[below(kInteresting.size())] : static_cast<char>(below(256));
}

std::string Mutator::next(const std::vector<std::string>& seeds) {
  if (below(16) == 0) {
    std::string bytes(below(300), '\0');
    for (char& c : bytes) c = byte();
    return bytes;
  }
  std::string bytes = seeds[below(seeds.size())];
  for (std::size_t changes = below(8); changes > 0; --changes) change(bytes, seeds);
  bytes.resize(std::min(bytes.size(), kLongest));
  return bytes;
}

void Mutator::change(std::string& bytes, const std::vector<std::string>& seeds) {
  const std::size_t at = below(bytes.size() + 1);
  const std::size_t length = std::min(below(32), bytes.size() - at);
  switch (below(7)) {
    case 0:
      if (at < bytes.size()) bytes[at] = byte();
      return;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      return;
    case 2:
      bytes.insert(at, 1 + below(8), byte());
      return;
    case 3:
      bytes.erase(at, length);
      return;
    case 4:
      bytes.insert(at, bytes.substr(at, length));
      return;
    case 5:
      bytes.resize(at);
      return;
    default: {
      const std::string& other = seeds[below(seeds.size())];
      bytes = bytes.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }
}

}  // namespace twtrace::fuzz
