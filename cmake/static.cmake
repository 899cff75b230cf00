# SPDX-License-Identifier: Apache-2.0
# TWTRACE_STATIC: one file that needs no library and no terminfo. Every library of Debian 12 that twtrace uses has a
# static form, except fmt and spdlog: these are compiled in from their headers.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(PKG_CONFIG_ARGN --static) # also the libraries of libraries
add_link_options(-static -s) # without symbols, which nobody needs on a host

find_package(Threads REQUIRED)
add_library(fmt::fmt INTERFACE IMPORTED)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
add_library(spdlog::spdlog INTERFACE IMPORTED)
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(spdlog::spdlog INTERFACE fmt::fmt Threads::Threads)
