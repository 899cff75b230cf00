// SPDX-License-Identifier: Apache-2.0
#include "loader/chain_walk.hpp"

#include "loader/table_object.hpp"

namespace twtrace::loader {

base::Result<void> continue_walk(TableObject& object, tw_walk& walk) { return object.continue_walk(walk); }

}  // namespace twtrace::loader
