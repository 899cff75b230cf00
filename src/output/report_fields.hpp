// SPDX-License-Identifier: Apache-2.0
// The common JSON of reports and differences. Private to this folder.
#pragma once

#include "output/json_fields.hpp"
#include "report/report.hpp"

namespace twtrace::output {

/// kind, service, process, role, port.
void put_owner(JsonWriter& json, const model::Row& row);
/// Host, times, backend, command.
void put_capture(JsonWriter& json, const report::Report& report);
void put_verdicts(JsonWriter& json, const report::Report& report);

}  // namespace twtrace::output
