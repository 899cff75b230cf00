// SPDX-License-Identifier: Apache-2.0
// main() for tests with Catch2 version 2. Version 3 has it in a library.
#define CATCH_CONFIG_MAIN
#include "support/catch.hpp"
