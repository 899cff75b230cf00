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

}  // namespace

bool send_fields(int fd, const Fields& fields) {
  std::string bytes;
  for (const std::string& field : fields) {
    append(bytes, static_cast<Length>(field.size()));
    bytes += field;
  }
  if (bytes.size() > kLongest) return false;
  std::string length;
  append(length, static_cast<Length>(bytes.size()));
  return write_all(fd, length + bytes) == 0;
}

std::optional<Fields> receive_fields(int fd) {
  Length size = 0;
  if (!read_all(fd, reinterpret_cast<char*>(&size), sizeof(size)) || size > kLongest) return std::nullopt;
  std::string bytes(size, '\0');
  if (!read_all(fd, bytes.data(), bytes.size())) return std::nullopt;
  Fields fields;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto length = take_length(rest);
    if (!length || *length > rest.size()) return std::nullopt;
    fields.emplace_back(rest.substr(0, *length));
    rest.remove_prefix(*length);
  }
  return fields;
}

}  // namespace twtrace::base
