// SPDX-License-Identifier: Apache-2.0
// The warnings of `twtrace doctor` about settings. Pure.
#pragma once

#include <vector>

#include "model/doctor.hpp"

namespace twtrace::phrases {

/// The advice of `limit-not-inherited` begins with it.
inline constexpr const char* kRaiseTheLower = "raise the lower limit where it matters: ";

/// The warnings about these namespaces, in their order; those about several come last, with the netns_id of the one to
/// change. All that advise a limit of one namespace advise the same. Nothing here ever advises a lower limit or
/// tcp_tw_recycle.
std::vector<model::DoctorWarning> doctor_warnings(const std::vector<model::DoctorNetns>& namespaces);

}  // namespace twtrace::phrases
