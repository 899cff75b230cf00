# SPDX-License-Identifier: Apache-2.0
# Cross-builds for 64-bit ARM on a Debian of another architecture. Uses the compiler and the multiarch libraries of the
# distribution (scripts/setup cross). These libraries are beside those of this machine, so there is no sysroot. CMake
# searches lib/aarch64-linux-gnu because the compiler names it. Programs are those of this machine.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# By default, pkg-config searches only the folders of this machine.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
