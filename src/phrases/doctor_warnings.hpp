// SPDX-License-Identifier: Apache-2.0
// The warnings of `twtrace doctor` about settings. Pure.
#pragma once

#include <vector>

#include "model/doctor.hpp"

namespace twtrace::phrases {

/// The warnings about these namespaces, in their order; those about several come last. Nothing here ever advises a
/// lower limit or tcp_tw_recycle.
std::vector<model::DoctorWarning> doctor_warnings(const std::vector<model::DoctorNetns>& namespaces);

}  // namespace twtrace::phrases
