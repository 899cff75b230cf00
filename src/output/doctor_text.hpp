// SPDX-License-Identifier: Apache-2.0
// The report of `twtrace doctor` for people.
#pragma once

#include <string>

#include "model/doctor.hpp"
#include "output/style.hpp"

namespace twtrace::output {

/// Several lines, each with its newline. Names are safe for a terminal. Prose and tables fit into 79 columns. Commands
/// stay on one line, whatever their length, so that they can be copied. Pure.
std::string doctor_text(const model::DoctorReport& report, Color color);

}  // namespace twtrace::output
