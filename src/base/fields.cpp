// SPDX-License-Identifier: Apache-2.0
#include "base/fields.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/whole_io.hpp"

namespace twtrace::base {
namespace {

using Length = std::uint32_t;
constexpr Length kLongest = 64U << 20U;

void append(std::string& bytes, Length length) { bytes.append(reinterpret_cast<const char*>(&length), sizeof(length)); }

std::optional<Length> take_length(std::string_view& bytes) {
  Length length = 0;
  if (bytes.size() < sizeof(length)) return std::nullopt;
  std::memcpy(&length, bytes.data(), sizeof(length));
  bytes.remove_prefix(sizeof(length));
  return length;
}

/// The fields in what follows the length of a list.
std::optional<Fields> parse(std::string_view bytes) {
  Fields fields;
  while (!bytes.empty()) {
    const auto length = take_length(bytes);
    if (!length || *length > bytes.size()) return std::nullopt;
    fields.emplace_back(bytes.substr(0, *length));
    bytes.remove_prefix(*length);
  }
  return fields;
}

}  // namespace

std::optional<std::string> to_bytes(const Fields& fields) {
  std::string bytes(sizeof(Length), '\0');
  for (const std::string& field : fields) {
    append(bytes, static_cast<Length>(field.size()));
    bytes += field;
  }
  const std::size_t size = bytes.size() - sizeof(Length);
  if (size > kLongest) return std::nullopt;
  const auto length = static_cast<Length>(size);
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes;
}

std::optional<Fields> FieldsInbox::take() {
  std::string_view rest = bytes_;
  const auto size = take_length(rest);
  if (!size || is_broken_) return std::nullopt;
  is_broken_ = *size > kLongest;
  if (is_broken_ || rest.size() < *size) return std::nullopt;
  auto fields = parse(rest.substr(0, *size));
  is_broken_ = !fields;
  bytes_.erase(0, sizeof(Length) + *size);
  return fields;
}

bool send_fields(int fd, const Fields& fields) {
  const auto bytes = to_bytes(fields);
  return bytes && write_all(fd, *bytes) == 0;
}

std::optional<Fields> receive_fields(int fd) {
  Length size = 0;
  if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof(size)) || size > kLongest) return std::nullopt;
  std::string bytes(size, '\0');
  if (!read_all(fd, bytes.data(), bytes.size())) return std::nullopt;
  return parse(bytes);
}

}  // namespace twtrace::base
