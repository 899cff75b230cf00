// SPDX-License-Identifier: Apache-2.0
#include "tui/builtin_terminfo.hpp"

#include <string>

#include "support/catch.hpp"

using twtrace::tui::builtin_terminfo;

TEST_CASE("common terminals are compiled in, in the form of TERMINFO") {
  for (const char* type : {"linux", "vt100", "xterm", "xterm-256color", "screen-256color", "tmux-256color"}) {
    INFO(type);
    REQUIRE(builtin_terminfo(type) != nullptr);
    const std::string text = builtin_terminfo(type);
    CHECK(text.rfind("b64:", 0) == 0);
    CHECK(text.size() > 500);
    CHECK(text.find_first_of(" \n#") == std::string::npos);
  }
  CHECK(builtin_terminfo("nonsense") == nullptr);
  CHECK(builtin_terminfo("") == nullptr);
}
