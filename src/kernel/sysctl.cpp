// SPDX-License-Identifier: Apache-2.0
#include "kernel/sysctl.hpp"

#include "kernel/file.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

tl::unexpected<base::Error> malformed(std::string_view name) {
  return base::fail(base::ErrorCode::kInvalid, "sysctl " + std::string(name) + " does not hold what is expected");
}

template <class T>
base::Result<T> read_number(const std::filesystem::path& root, std::string_view name) {
  const auto text = read_file(root / name);
  if (!text) return tl::unexpected(text.error());
  const auto value = parse_number<T>(trim(*text));
  if (!value) return malformed(name);
  return *value;
}

}  // namespace

base::Result<std::uint64_t> Sysctl::read_u64(std::string_view name) const {
  return read_number<std::uint64_t>(root_, name);
}

base::Result<std::int64_t> Sysctl::read_i64(std::string_view name) const {
  return read_number<std::int64_t>(root_, name);
}

base::Result<std::string> Sysctl::read_text(std::string_view name) const {
  const auto text = read_file(root_ / name);
  if (!text) return tl::unexpected(text.error());
  return std::string(trim(*text));
}

base::Result<std::pair<std::uint64_t, std::uint64_t>> Sysctl::read_pair(std::string_view name) const {
  const auto text = read_file(root_ / name);
  if (!text) return tl::unexpected(text.error());
  std::string_view rest = *text;
  const auto first = parse_number<std::uint64_t>(cut_word(rest));
  const auto second = parse_number<std::uint64_t>(cut_word(rest));
  if (!first || !second || !trim(rest).empty()) return malformed(name);
  return std::pair{*first, *second};
}

}  // namespace twtrace::kernel
