// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include <algorithm>

#include "kernel/file.hpp"
#include "kernel/text.hpp"

namespace twtrace::kernel {

std::optional<ProcessStat> parse_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.comm = text.substr(open + 1, close - open - 1);

  std::string_view rest = text.substr(close + 1);
  const std::string_view state = cut_word(rest);
  if (state.size() != 1) return std::nullopt;
  stat.state = state.front();
  std::string_view parent;
  std::string_view start;
  for (int field = 4; field <= 22; ++field) {
    const std::string_view word = cut_word(rest);
    if (field == 4) parent = word;
    if (field == 22) start = word;
  }
  const auto parent_pid = parse_number<std::uint32_t>(parent);
  const auto start_ticks = parse_number<std::uint64_t>(start);
  if (!parent_pid || !start_ticks) return std::nullopt;
  stat.parent = *parent_pid;
  stat.start_ticks = *start_ticks;
  return stat;
}

std::filesystem::path Procfs::path(std::uint32_t pid, std::string_view relative) const {
  return root_ / std::to_string(pid) / relative;
}

base::Result<std::string> Procfs::read(std::string_view relative) const { return read_file(path(relative)); }

std::vector<std::uint32_t> Procfs::pids() const {
  std::vector<std::uint32_t> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(root_, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    if (const auto pid = parse_number<std::uint32_t>(entry->path().filename().native())) found.push_back(*pid);
    entry.increment(error);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<ProcessStat> Procfs::stat(std::uint32_t pid) const {
  const auto text = read_file(path(pid, "stat"));
  return text ? parse_stat(*text) : std::nullopt;
}

std::optional<std::string> Procfs::cmdline(std::uint32_t pid) const {
  auto text = read_file(path(pid, "cmdline"));
  if (!text) return std::nullopt;
  while (!text->empty() && text->back() == '\0') text->pop_back();
  std::replace(text->begin(), text->end(), '\0', ' ');
  return *std::move(text);
}

std::optional<std::uint32_t> Procfs::uid(std::uint32_t pid) const {
  const auto text = read_file(path(pid, "status"));
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = cut(rest, '\n');
    if (cut_word(line) == "Uid:") return parse_number<std::uint32_t>(cut_word(line));
  }
  return std::nullopt;
}

}  // namespace twtrace::kernel
