// SPDX-License-Identifier: Apache-2.0
#include "kernel/container_files.hpp"

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

using Json = nlohmann::json;

// Null if it is not JSON. The parser uses no recursion, so only the text limits the nesting.
Json parse_json(std::string_view text) {
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json() : parsed;
}

// A member of an object; null if there is none, or if the value is not an object.
const Json& member(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxContainerNameBytes &&
         text.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

std::string name_or_empty(std::string text) { return is_name(text) ? std::move(text) : std::string(); }

// The first of the keys that has a name.
std::string first_name(const Json& object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (auto name = name_or_empty(text_of(member(object, key))); !name.empty()) return name;
  }
  return {};
}

// Annotations of a bundle, or docker's labels. containerd writes "io.kubernetes.cri.". The rest of "io.kubernetes."
// comes from the kubelet; cri-o and dockershim pass it on.
ContainerFacts annotated(const Json& notes) {
  ContainerFacts facts;
  facts.pod.ns = first_name(notes, {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"});
  facts.pod.name = first_name(notes, {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"});
  facts.pod.uid = first_name(notes, {"io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"});
  const std::string type = first_name(
      notes, {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType", "io.kubernetes.docker.type"});
  facts.sandbox = type == "sandbox" || type == "podsandbox";
  if (facts.sandbox) return facts;
  facts.name = facts.pod.name.empty()
                   ? name_or_empty(text_of(member(notes, "nerdctl/name")))
                   : first_name(notes, {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"});
  return facts;
}

std::string engine_of(const Json& notes) {
  const std::string manager = text_of(member(notes, "io.container.manager"));
  if (manager == "libpod") return "podman";
  return manager == "cri-o" ? manager : std::string();
}

// docker mounts hostname, hosts and resolv.conf from <data root>/containers/<id> of this container, or of the one whose
// network it shares.
std::string docker_containers_of(const Json& mounts) {
  if (!mounts.is_array()) return {};
  for (const Json& mount : mounts) {
    std::string source = text_of(member(mount, "source"));
    for (const std::string_view file : {"/hostname", "/hosts", "/resolv.conf"}) {
      if (!source.ends_with(file)) continue;
      source.resize(source.size() - file.size());
      const auto slash = source.rfind('/');
      if (slash == std::string::npos || !is_hex(std::string_view(source).substr(slash + 1))) break;
      source.resize(slash);
      if (source.starts_with('/') && source.ends_with("/containers")) return source;
      break;
    }
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  while (!text.empty()) parts.push_back(cut(text, delimiter));
  return parts;
}

std::string_view last_of_path(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::optional<ContainerFacts> docker_facts(std::string_view text) {
  const Json config = parse_json(text);
  if (!config.is_object()) return std::nullopt;
  ContainerFacts facts = annotated(member(member(config, "Config"), "Labels"));
  facts.engine = "docker";
  if (!facts.pod.name.empty()) return facts;
  std::string name = text_of(member(config, "Name"));
  if (name.starts_with('/')) name.erase(0, 1);
  facts.name = name_or_empty(std::move(name));
  return facts;
}

std::optional<Bundle> parse_bundle(std::string_view text) {
  const Json config = parse_json(text);
  if (!config.is_object()) return std::nullopt;
  const Json& notes = member(config, "annotations");
  Bundle bundle{annotated(notes), {}};
  bundle.facts.engine = engine_of(notes);
  if (!bundle.facts.engine.empty()) return bundle;
  bundle.docker_containers = docker_containers_of(member(config, "mounts"));
  bundle.facts.engine = bundle.docker_containers.empty() ? "containerd" : "docker";
  return bundle;
}

std::optional<std::string> storage_name(std::string_view text, std::string_view id) {
  const Json containers = parse_json(text);
  if (!containers.is_array()) return std::nullopt;
  for (const Json& container : containers) {
    if (text_of(member(container, "id")) != id) continue;
    const Json& names = member(container, "names");
    if (!names.is_array() || names.empty()) return std::nullopt;
    std::string name = name_or_empty(text_of(names.front()));
    return name.empty() ? std::nullopt : std::optional(std::move(name));
  }
  return std::nullopt;
}

std::optional<std::string> docker_data_root(std::string_view text) {
  const Json config = parse_json(text);
  for (const char* key : {"data-root", "graph"}) {  // "graph" until docker 23
    std::string root = text_of(member(config, key));
    if (root.starts_with('/')) return root;
  }
  return std::nullopt;
}

std::optional<std::string> toml_string(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (trim(cut(line, '=')) != key) continue;
    line = trim(line);
    if (line.size() < 2 || line.front() != '"') continue;
    line.remove_prefix(1);
    if (const auto end = line.find('"'); end != std::string_view::npos) return std::string(line.substr(0, end));
  }
  return std::nullopt;
}

std::optional<base::Pod> pod_of_log_directory(std::string_view name) {
  const auto parts = split(name, '_');
  if (parts.size() != 3 || !is_name(parts[0]) || !is_name(parts[1]) || !is_name(parts[2])) return std::nullopt;
  return base::Pod{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

std::optional<ContainerFacts> facts_of_log_link(std::string_view name, std::string_view id) {
  const std::string end = '-' + std::string(id) + ".log";
  if (id.empty() || !name.ends_with(end)) return std::nullopt;
  name.remove_suffix(end.size());
  const auto parts = split(name, '_');
  if (parts.size() != 3 || !is_name(parts[0]) || !is_name(parts[1]) || !is_name(parts[2])) return std::nullopt;
  ContainerFacts facts;
  facts.name = parts[2];
  facts.pod = {std::string(parts[1]), std::string(parts[0]), {}};
  return facts;
}

std::optional<Supervisor> parse_supervisor(std::string_view cmdline, std::string_view id) {
  const auto arguments = split(cmdline, '\0');
  if (arguments.empty()) return std::nullopt;
  Supervisor found;
  found.is_shim = last_of_path(arguments[0]).starts_with("containerd-shim");
  if (found.is_shim) return found;
  if (last_of_path(arguments[0]) != "conmon") return std::nullopt;
  bool same_id = false;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 1) {
    const std::string_view value = arguments[i + 1];
    if (arguments[i] == "-c") same_id = same_id || value == id;
    if (arguments[i] == "-b" && found.bundle.empty()) found.bundle = value;
    if (arguments[i] == "-n" && found.name.empty()) found.name = name_or_empty(std::string(value));
  }
  return same_id ? std::optional(std::move(found)) : std::nullopt;
}

}  // namespace twtrace::kernel
