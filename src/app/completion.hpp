// SPDX-License-Identifier: Apache-2.0
// What a shell offers when the user presses Tab. Knows every command and option from its declaration.
#pragma once

#include <string>
#include <vector>

namespace twtrace::app {

/// What may stand in the place of the last word of a command line.
struct Completion {
  enum class Kind {
    kNames,    ///< one of `names`
    kFiles,    ///< the path of a file
    kCommand,  ///< a part of another program's command line, which begins after `--`
  };
  struct Name {
    std::string name;
    std::string about;  ///< may be empty
  };

  Kind kind = Kind::kNames;
  std::vector<Name> names;
};

/// `words` are those after "twtrace". The last one is what the user has typed of a word so far, perhaps nothing. Every
/// name begins with it. Pure.
Completion complete(const std::vector<std::string>& words);

/// The same as lines, for the scripts in packaging/completions: "names", "files" or "command", then NAME, a tab and
/// what it means for each name.
std::string completion_text(const Completion& completion);

}  // namespace twtrace::app
