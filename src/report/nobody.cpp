// SPDX-License-Identifier: Apache-2.0
#include "report/nobody.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace twtrace::report {

bool saw_process(const model::CaptureInfo& info, const view::Selector& owners) {
  return info.seen && std::any_of(info.seen->begin(), info.seen->end(), [&](const model::SeenProcess& process) {
           view::Subject subject;
           subject.service = &process.service;
           subject.comm = process.comm;
           return owners.accepts(subject);
         });
}

std::string nobody_words(const model::CaptureInfo& info, const std::string& names) {
  const std::string none = "no row matches" + (names.empty() ? "" : " " + names);
  if (!info.seen) return none + ", and this capture does not say whether any process of that name ran";
  if (info.seen->size() >= model::kMostSeenProcesses) {
    return fmt::format("{}, and the capture names only {} of the processes that ran", none,
                       fmt::group_digits(model::kMostSeenProcesses));
  }
  return none + ", and no process of that name was seen; check the spelling";
}

}  // namespace twtrace::report
