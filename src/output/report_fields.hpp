// SPDX-License-Identifier: Apache-2.0
// What reports and differences have in common as JSON. Private to this folder.
#pragma once

#include "output/json_fields.hpp"
#include "report/report.hpp"

namespace twtrace::output {

/// kind, service, process, role, port.
void put_owner(Json& object, const model::Row& row);
/// Host, times, backend, command.
Json capture_json(const report::Report& report);
Json verdicts_json(const report::Report& report);
/// A number of a sink that knows no infinity: null instead.
Json finite(const std::optional<double>& value);

}  // namespace twtrace::output
