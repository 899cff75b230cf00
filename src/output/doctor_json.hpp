// SPDX-License-Identifier: Apache-2.0
// The stable JSON contract "twtrace.doctor/1". Fields are added, never renamed.
#pragma once

#include <string>

#include "model/doctor.hpp"

namespace twtrace::output {

/// One object on one line, no newline at its end, by the rules of snapshot_json. Pure; never throws on any content.
std::string doctor_json(const model::DoctorReport& report);

}  // namespace twtrace::output
