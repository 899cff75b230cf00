// SPDX-License-Identifier: Apache-2.0
// The description that every capture file of a session has.
#pragma once

#include "capture/writer.hpp"
#include "model/recording.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// Versions, host, backend, interval and the size of a bucket. The caller adds the start and the settings.
model::CaptureInfo capture_info(const trace::Session& session, double interval_s);

/// This process, for a capture file.
model::CaptureWriter this_process();

}  // namespace twtrace::app
