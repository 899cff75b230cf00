// SPDX-License-Identifier: Apache-2.0
// The live view's filter: what is typed after `/`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"

namespace twtrace::view {

/// Words, all of which must be found. A plain word is looked for in every name and number of a row; `comm=`,
/// `service=` and `netns=` in that name only; `pid=`, `port=` and `role=` must be equal (`role=` from its first letter
/// on). Letter case does not matter. Any bytes are safe.
class RowFilter {
 public:
  explicit RowFilter(std::string_view text = {});

  bool empty() const { return words_.empty(); }
  bool accepts(const model::Row& row) const;
  bool accepts(const model::Event& event) const;
  /// What `pid=` asks for: a row that merges processes does not tell.
  std::optional<std::uint32_t> pid() const;

 private:
  enum class Field { kAny, kPid, kComm, kService, kPort, kRole, kNetns };
  struct Word {
    Field field = Field::kAny;
    std::string text;  ///< in lower case
  };
  static Word parse(std::string_view word);

  std::vector<Word> words_;
};

}  // namespace twtrace::view
