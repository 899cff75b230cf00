// SPDX-License-Identifier: Apache-2.0
#include "loader/libbpf_log.hpp"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>

#include "base/log.hpp"

namespace twtrace::loader {
namespace {

constexpr std::size_t kKept = 4096;

// libbpf's callback takes no context, so its output must be stored here. Only LibbpfLog accesses it.
std::string& warnings() {
  static std::string text;
  return text;
}

std::string formatted(const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string text(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

int keep(libbpf_print_level level, const char* format, va_list arguments) {
  const std::string text = formatted(format, arguments);
  spdlog::debug("libbpf: {}", text);
  // The reason is at the end of a verifier log.
  if (level == LIBBPF_WARN) warnings() += text.substr(text.size() > kKept ? text.size() - kKept : 0) + '\n';
  return static_cast<int>(text.size());
}

int drop(libbpf_print_level /*level*/, const char* /*format*/, va_list /*arguments*/) { return 0; }

// Boilerplate around the sentence that tells what happened. The memlock advice is wrong since 5.11, and misleading if a
// security policy refuses the load.
bool says_something(const std::string& line) {
  for (const char* noise : {"BEGIN PROG LOAD LOG", "END PROG LOAD LOG", "memlock", "failed to load object",
                            "failed to load BPF skeleton", "failed to load: ", "processed "}) {
    if (line.find(noise) != std::string::npos) return false;
  }
  return !line.empty();
}

}  // namespace

LibbpfLog::LibbpfLog() {
  warnings().clear();
  libbpf_set_print(keep);
}

LibbpfLog::~LibbpfLog() { libbpf_set_print(drop); }

std::string LibbpfLog::last_warning() const {
  const std::string& text = warnings();
  std::string found;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    std::string line = text.substr(begin, end - begin);
    if (says_something(line)) found = std::move(line);
    begin = end + 1;
  }
  return found;
}

}  // namespace twtrace::loader
