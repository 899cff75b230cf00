// SPDX-License-Identifier: Apache-2.0
// Plain text that fits a mail. Private to this folder.
#pragma once

#include <string>

namespace twtrace::output {

/// Columns of a report as text.
inline constexpr std::size_t kTextColumns = 79;

/// Words of `text`, the first line after `used` columns, the others after `indent` blanks. Ends with a newline. A word
/// that is too long for a line stands alone on it; with `cut` it is cut into lines.
std::string wrapped(const std::string& text, std::size_t used, std::size_t indent, bool cut = false);

}  // namespace twtrace::output
