# SPDX-License-Identifier: Apache-2.0
# Files of `cmake --install`: the program, its manual pages and completions, the unit of the exporter (not enabled), and
# what is used with an exporter: alert rules, dashboards, the DaemonSet.
include(GNUInstallDirs)
# Distributions use other directories for the completions of packages.
set(TWTRACE_BASH_DIR ${CMAKE_INSTALL_DATADIR}/bash-completion/completions CACHE STRING "Where bash looks for completions")
set(TWTRACE_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Where zsh looks for completions")
set(TWTRACE_FISH_DIR ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d CACHE STRING "Where fish looks for completions")

install(TARGETS twtrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set(completions ${CMAKE_SOURCE_DIR}/packaging/completions)
install(FILES ${completions}/twtrace.bash DESTINATION ${TWTRACE_BASH_DIR} RENAME twtrace)
install(FILES ${completions}/twtrace.zsh DESTINATION ${TWTRACE_ZSH_DIR} RENAME _twtrace)
install(FILES ${completions}/twtrace.fish DESTINATION ${TWTRACE_FISH_DIR})

# The unit has the path of the installed program.
file(READ ${CMAKE_SOURCE_DIR}/packaging/systemd/twtrace-exporter.service unit)
string(REPLACE /usr/bin/twtrace ${CMAKE_INSTALL_FULL_BINDIR}/twtrace unit "${unit}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/twtrace-exporter.service CONTENT "${unit}" @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/twtrace-exporter.service DESTINATION lib/systemd/system)
foreach(folder prometheus grafana kubernetes)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/packaging/${folder}/*)
  install(FILES ${files} DESTINATION ${CMAKE_INSTALL_DATADIR}/twtrace/${folder})
endforeach()

# Manual pages: docs/man/NAME.SECTION.scd.
find_program(TWTRACE_SCDOC NAMES scdoc)
if(NOT TWTRACE_SCDOC)
  message(STATUS "scdoc is not installed: manual pages are not built")
  return()
endif()
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.scd)
foreach(source ${sources})
  cmake_path(GET source STEM LAST_ONLY name) # twtrace.8
  string(REGEX MATCH "[0-9]$" section ${name})
  set(page ${CMAKE_BINARY_DIR}/man/${name})
  add_custom_command(
    OUTPUT ${page}
    # The first line makes man(1) run tbl, and lintian of Debian 13 looks for it. scdoc does not write it.
    COMMAND ${CMAKE_COMMAND} -E echo "'\\\" t" > ${page}
    COMMAND ${TWTRACE_SCDOC} < ${source} >> ${page}
    DEPENDS ${source}
    COMMENT "Manual page ${name}"
    VERBATIM)
  list(APPEND pages ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/man)
add_custom_target(twtrace_man ALL DEPENDS ${pages})
