// SPDX-License-Identifier: Apache-2.0
// What a receiver says about a push. It is shown, not understood: there is no JSON parser here.
#pragma once

#include <string>
#include <string_view>

namespace twtrace::exporter {

/// Whether the body of a success holds a partialSuccess (OTLP) that says something: that data points were rejected, or
/// a message. Pure.
bool otlp_rejects(std::string_view body);

/// The beginning of a body for a message: one line, at most 200 columns, without control characters. Pure.
std::string otlp_quote(std::string_view body);

}  // namespace twtrace::exporter
