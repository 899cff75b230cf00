// SPDX-License-Identifier: Apache-2.0
#include "kernel/lockdown.hpp"

#include "kernel/file.hpp"

namespace twtrace::kernel {

base::Result<Lockdown> parse_lockdown(std::string_view text) {
  const auto open = text.find('[');
  const auto close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open != std::string_view::npos && close != std::string_view::npos) {
    const std::string_view mode = text.substr(open + 1, close - open - 1);
    for (const Lockdown known : {Lockdown::kNone, Lockdown::kIntegrity, Lockdown::kConfidentiality}) {
      if (mode == to_string(known)) return known;
    }
  }
  return base::fail(base::ErrorCode::kInvalid, "lockdown mode not understood");
}

base::Result<Lockdown> read_lockdown(const std::filesystem::path& securityfs) {
  const auto text = read_file(securityfs / "lockdown");
  if (text) return parse_lockdown(*text);
  if (text.error().code != base::ErrorCode::kNotFound) return tl::unexpected(text.error());
  std::error_code error;
  if (std::filesystem::is_empty(securityfs, error) || error) {
    return base::fail(base::ErrorCode::kNotFound, "securityfs is not mounted at " + securityfs.string());
  }
  return Lockdown::kNone;
}

const char* to_string(Lockdown lockdown) {
  switch (lockdown) {
    case Lockdown::kNone:
      return "none";
    case Lockdown::kIntegrity:
      return "integrity";
    case Lockdown::kConfidentiality:
      return "confidentiality";
  }
  return "none";
}

}  // namespace twtrace::kernel
