# SPDX-License-Identifier: Apache-2.0
# Cross-builds for 64-bit ARM on a Debian of another architecture, with the distribution's compiler and its multiarch
# libraries (scripts/setup cross). One root holds the libraries of every architecture, so there is no sysroot: CMake
# searches lib/aarch64-linux-gnu because the compiler names it, and programs are this machine's own.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# pkg-config knows this machine's folders only.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
