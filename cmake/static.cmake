# SPDX-License-Identifier: Apache-2.0
# TWTRACE_STATIC: one file that needs no library and no terminfo. Debian 12 has a static form of every library that
# twtrace uses, except fmt and spdlog. These are compiled from their headers.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(PKG_CONFIG_ARGN --static) # includes the libraries that the libraries need
add_link_options(-static -s) # without symbols

find_package(Threads REQUIRED)
add_library(fmt::fmt INTERFACE IMPORTED)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
add_library(spdlog::spdlog INTERFACE IMPORTED)
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(spdlog::spdlog INTERFACE fmt::fmt Threads::Threads)
