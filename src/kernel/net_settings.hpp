// SPDX-License-Identifier: Apache-2.0
// Reading the settings that affect a namespace's TIME_WAIT table and its listen queues.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/net_settings.hpp"
#include "kernel/sysctl.hpp"

namespace twtrace::kernel {

/// Reads those of the calling thread's namespace.
base::NetSettings read_net_settings(const Sysctl& sysctl = Sysctl());

/// Bytes of an object of this slab, including padding, from the text of /proc/slabinfo. Empty if it is not listed: the
/// kernel may have merged the slab with others of its size (unless booted with slab_nomerge).
std::optional<std::uint64_t> parse_slab_size(std::string_view slabinfo, std::string_view slab);

/// Kernel memory of one bucket: slab tw_sock_TCP of /proc/slabinfo, or of /sys/kernel/slab if the slab was merged under
/// another name. Both need root. `root` is "/" or a directory that looks like it.
std::optional<std::uint64_t> read_bucket_bytes(const std::filesystem::path& root = "/");

}  // namespace twtrace::kernel
