// SPDX-License-Identifier: Apache-2.0
#include "trace/name_messages.hpp"

#include "kernel/text.hpp"

namespace twtrace::trace {
namespace {

constexpr std::size_t kQueryFields = 6;
constexpr std::size_t kFactsFields = 6;
constexpr std::size_t kRefFields = 4;

std::string text(const std::optional<std::uint32_t>& number) { return number ? std::to_string(*number) : ""; }
std::optional<std::uint32_t> number(const std::string& text) { return kernel::parse_number<std::uint32_t>(text); }

}  // namespace

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
