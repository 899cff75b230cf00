// SPDX-License-Identifier: Apache-2.0
#include "kernel/mountinfo.hpp"

#include <optional>

#include "kernel/text.hpp"

namespace twtrace::kernel {
namespace {

// The kernel writes blank, tab, newline, backslash and '#' as \ooo (mangle_path in fs/seq_file.c).
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code =
        text[i] == '\\' && i + 3 < text.size() ? parse_number<unsigned char>(text.substr(i + 1, 3), 8) : std::nullopt;
    out.push_back(code ? static_cast<char>(*code) : text[i]);
    if (code) i += 3;
  }
  return out;
}

// "36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/root rw,errors=continue"
std::optional<Mount> parse_line(std::string_view line) {
  Mount mount;
  for (int skipped = 0; skipped < 3; ++skipped) cut(line, ' ');
  mount.root = unescape(cut(line, ' '));
  mount.mount_point = unescape(cut(line, ' '));
  cut(line, ' ');  // mount options
  while (!line.empty()) {
    if (cut(line, ' ') != "-") continue;  // optional fields
    mount.fs_type = unescape(cut(line, ' '));
    cut(line, ' ');  // source
    mount.super_options = line;
    if (mount.fs_type.empty() || mount.mount_point.empty()) return std::nullopt;
    return mount;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    if (auto mount = parse_line(cut(text, '\n'))) mounts.push_back(*std::move(mount));
  }
  return mounts;
}

bool has_option(std::string_view options, std::string_view option) {
  while (!options.empty()) {
    if (cut(options, ',') == option) return true;
  }
  return false;
}

}  // namespace twtrace::kernel
