// SPDX-License-Identifier: Apache-2.0
// The report of `twtrace doctor` as people read it.
#pragma once

#include <string>

#include "model/doctor.hpp"
#include "output/style.hpp"

namespace twtrace::output {

/// Several lines, each with its newline; names are made safe for a terminal. Prose and tables fit into 79 columns,
/// commands to be copied stay on one line whatever their length. Pure.
std::string doctor_text(const model::DoctorReport& report, Color color);

}  // namespace twtrace::output
