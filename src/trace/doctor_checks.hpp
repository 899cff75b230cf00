// SPDX-License-Identifier: Apache-2.0
// Gathers what `twtrace doctor` reports. Nothing is changed; each backend is loaded, attached and removed again, but
// never switched on.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "model/doctor.hpp"
#include "trace/session.hpp"

namespace twtrace::trace {

/// What examine() found.
struct Diagnosis {
  model::DoctorReport report;
  std::optional<base::Error> obstacle;  ///< why twtrace cannot run here: kUnsupported or kPermission
};

/// Looks at everything that the privileges at hand allow. `options.backend` restricts which backends are tried. Fails
/// only for options that make no sense (an unknown feature, an unreadable BTF file).
base::Result<Diagnosis> examine(const SessionOptions& options);

}  // namespace twtrace::trace
