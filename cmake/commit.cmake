# SPDX-License-Identifier: Apache-2.0
# Sets TWTRACE_COMMIT to the output of `git describe`: a commit, and the tag before it if there is one. It is empty in a
# release tarball, and on a machine without git. A new commit makes CMake configure again.
set(TWTRACE_COMMIT "")
find_program(TWTRACE_GIT NAMES git)
# Only the repository of this tree counts, not one around it.
if(TWTRACE_GIT AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  # The checkout may belong to another user, for example under sudo.
  set(git ${TWTRACE_GIT} -C ${CMAKE_SOURCE_DIR} -c safe.directory=*)
  execute_process(
    COMMAND ${git} describe --always --long --abbrev=10 --match v[0-9]*
    OUTPUT_VARIABLE TWTRACE_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process( # changes with every commit, pull and checkout
    COMMAND ${git} rev-parse --path-format=absolute --git-path logs/HEAD
    OUTPUT_VARIABLE head_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(EXISTS "${head_log}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${head_log})
  endif()
endif()
