// SPDX-License-Identifier: Apache-2.0
#include "loader/chain_walk.hpp"

#include "loader/reader_object.hpp"

namespace twtrace::loader {

base::Result<void> run_walk(ReaderObject& object, const bpf_program* program, tw_walk& walk) {
  tw_walk& shared = object.skeleton().bss->tw_walk;
  shared = walk;
  auto ran = object.run(program);
  walk = shared;
  return ran;
}

}  // namespace twtrace::loader
