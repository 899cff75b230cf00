// SPDX-License-Identifier: Apache-2.0
#include "trace/name_messages.hpp"

#include <cstring>
#include <string_view>

#include "base/whole_io.hpp"
#include "kernel/text.hpp"

namespace twtrace::trace {
namespace {

using Length = std::uint32_t;
constexpr Length kLongest = 64U << 20U;
constexpr std::size_t kQueryFields = 6;
constexpr std::size_t kFactsFields = 6;
constexpr std::size_t kRefFields = 4;

void append(std::string& bytes, Length length) { bytes.append(reinterpret_cast<const char*>(&length), sizeof(length)); }

std::optional<Length> take_length(std::string_view& bytes) {
  Length length = 0;
  if (bytes.size() < sizeof(length)) return std::nullopt;
  std::memcpy(&length, bytes.data(), sizeof(length));
  bytes.remove_prefix(sizeof(length));
  return length;
}

std::string text(const std::optional<std::uint32_t>& number) { return number ? std::to_string(*number) : ""; }
std::optional<std::uint32_t> number(const std::string& text) { return kernel::parse_number<std::uint32_t>(text); }

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
  return base::write_all(fd, length + bytes) == 0;
}

std::optional<Fields> receive_fields(int fd) {
  Length size = 0;
  if (!base::read_all(fd, reinterpret_cast<char*>(&size), sizeof(size)) || size > kLongest) return std::nullopt;
  std::string bytes(size, '\0');
  if (!base::read_all(fd, bytes.data(), bytes.size())) return std::nullopt;
  Fields fields;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto length = take_length(rest);
    if (!length || *length > rest.size()) return std::nullopt;
    fields.emplace_back(rest.substr(0, *length));
    rest.remove_prefix(*length);
  }
  return fields;
}

Fields fields_of(const kernel::ContainerQuery& query) {
  return {query.id, query.cgroup, query.containerd_namespace, query.pod_uid, text(query.uid), text(query.pid)};
}

std::optional<kernel::ContainerQuery> container_query(const Fields& fields) {
  if (fields.size() != kQueryFields) return std::nullopt;
  return kernel::ContainerQuery{fields[0], fields[1], fields[2], fields[3], number(fields[4]), number(fields[5])};
}

Fields fields_of(const std::optional<kernel::ContainerFacts>& facts) {
  if (!facts) return {};
  return {facts->engine, facts->name, facts->pod.ns, facts->pod.name, facts->pod.uid, facts->sandbox ? "1" : "0"};
}

std::optional<std::optional<kernel::ContainerFacts>> container_facts(const Fields& fields) {
  if (fields.empty()) return std::optional<kernel::ContainerFacts>();
  if (fields.size() != kFactsFields) return std::nullopt;
  return kernel::ContainerFacts{fields[0], fields[1], {fields[2], fields[3], fields[4]}, fields[5] == "1"};
}

Fields fields_of(const std::map<std::uint32_t, kernel::NetnsRef>& namespaces) {
  Fields fields;
  fields.reserve(namespaces.size() * kRefFields);
  for (const auto& [inum, ref] : namespaces) {
    for (std::string field : {std::to_string(inum), ref.name, text(ref.pid), ref.path}) {
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

std::optional<std::map<std::uint32_t, kernel::NetnsRef>> namespaces(const Fields& fields) {
  if (fields.size() % kRefFields != 0) return std::nullopt;
  std::map<std::uint32_t, kernel::NetnsRef> result;
  for (std::size_t i = 0; i < fields.size(); i += kRefFields) {
    const auto inum = number(fields[i]);
    if (!inum) return std::nullopt;
    result[*inum] = kernel::NetnsRef{*inum, fields[i + 1], number(fields[i + 2]), fields[i + 3]};
  }
  return result;
}

}  // namespace twtrace::trace
