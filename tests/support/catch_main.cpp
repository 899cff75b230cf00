// SPDX-License-Identifier: Apache-2.0
// main() of the tests with Catch2 2; version 3 comes with a library that has it.
#define CATCH_CONFIG_MAIN
#include "support/catch.hpp"
