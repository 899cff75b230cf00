// SPDX-License-Identifier: Apache-2.0
// Why a command cannot run is said before anything is traced.
#include "app/command_process.hpp"

#include <filesystem>

#include "../kernel/temp_tree.hpp"
#include "support/catch.hpp"

using namespace twtrace;

namespace {

/// "CODE WHAT; HINT", or "runs".
std::string why_not(const kernel::TempTree& tree, const std::string& text) {
  tree.file("script", text);
  const std::string path = tree / "script";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const auto found = app::find_command(path);
  if (found) return "runs";
  const std::string what = found.error().error.what;
  const std::string begin = "cannot run " + path + ": ";
  return std::to_string(found.error().exit_code) + " " + (what.starts_with(begin) ? what.substr(begin.size()) : what) +
         "; " + found.error().error.hint;
}

}  // namespace

TEST_CASE("a script whose interpreter does not exist is told from a command that does not") {
  const kernel::TempTree tree;
  CHECK(why_not(tree, "#!/bin/sh\n") == "runs");
  CHECK(why_not(tree, "#! /bin/sh -e\n") == "runs");
  CHECK(why_not(tree, "echo\n") == "runs");
  CHECK(why_not(tree, "") == "runs");
  CHECK(why_not(tree, "#!") == "runs");
  CHECK(why_not(tree, "#!/no/such -x\necho\n") ==
        "126 its interpreter /no/such, from the #! line, does not exist; correct the first line, or install that "
        "program");
  CHECK(why_not(tree, "#!/no/such") ==
        "126 its interpreter /no/such, from the #! line, does not exist; correct the first line, or install that "
        "program");
  CHECK(why_not(tree, "#!/bin/sh\r\necho\r\n") ==
        "126 its interpreter /bin/sh\r, from the #! line, does not exist; its lines end with CR LF: remove the CR");
  const auto missing = app::find_command(tree / "missing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().exit_code == 127);
  CHECK(missing.error().error.hint == "name a command that exists");
}
