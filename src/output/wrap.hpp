// SPDX-License-Identifier: Apache-2.0
// Plain text that fits a mail. Private to this folder.
#pragma once

#include <string>

namespace twtrace::output {

/// Columns of a report as text.
inline constexpr std::size_t kTextColumns = 79;

/// Wraps `text`. The first line begins after `used` columns, the others after `indent` blanks. Ends with a newline. A
/// word that is too long gets its own line, or is split into lines with `cut`.
std::string wrapped(const std::string& text, std::size_t used, std::size_t indent, bool cut = false);

}  // namespace twtrace::output
