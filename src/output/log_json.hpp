// SPDX-License-Identifier: Apache-2.0
// The lines of application logs in the JSON of reports. Private to this folder.
#pragma once

#include "output/json_writer.hpp"
#include "report/logs.hpp"

namespace twtrace::output {

/// application_errors: lines by what else happened in their intervals; null if no log was followed.
void put_application_errors(JsonWriter& json, const report::LogsReport& logs);

}  // namespace twtrace::output
