// SPDX-License-Identifier: Apache-2.0
// Catch2 for every test, version 2 (Debian 12) or 3 (Debian 13). Write tests with the names of version 3, and `Approx`
// without a namespace: this header adapts the names that differ in version 2. tests/CMakeLists.txt links main().
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

using Catch::Approx;
#else
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // event listeners, which version 3 always declares
#include <catch2/catch.hpp>

namespace Catch {
using EventListenerBase = TestEventListenerBase;
}  // namespace Catch
#endif
