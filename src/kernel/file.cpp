// SPDX-License-Identifier: Apache-2.0
#include "kernel/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <climits>

#include "base/unique_fd.hpp"

namespace twtrace::kernel {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;
constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;

base::Result<std::string> read_to_end(const base::UniqueFd& fd, const std::filesystem::path& path,
                                      std::size_t max_bytes) {
  std::string text;
  for (;;) {
    const std::size_t length = text.size();
    text.resize(length + kChunkBytes);
    const ssize_t got = ::read(fd.get(), text.data() + length, kChunkBytes);
    const int saved_errno = errno;
    text.resize(length + static_cast<std::size_t>(got > 0 ? got : 0));
    if (text.size() > max_bytes) {
      return base::fail(base::ErrorCode::kInvalid, fmt::format("{}: more than {} bytes", path.string(), max_bytes));
    }
    if (got == 0) return text;
    if (got < 0 && saved_errno != EINTR) return fail_path(saved_errno, path);
  }
}

}  // namespace

tl::unexpected<base::Error> fail_path(int saved_errno, const std::filesystem::path& path) {
  auto error = base::fail_errno(saved_errno, path.string());
  if (saved_errno == ESRCH || saved_errno == ENOTDIR) error.value().code = base::ErrorCode::kNotFound;
  return error;
}

base::Result<std::string> read_file(const std::filesystem::path& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_path(errno, path);
  return read_to_end(fd, path, kMaxBytes);
}

base::Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const base::UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return fail_path(errno, path);
  struct stat status {};
  if (::fstat(place.get(), &status) != 0) return fail_path(errno, path);
  if (!S_ISREG(status.st_mode)) return base::fail(base::ErrorCode::kInvalid, path.string() + " is not a regular file");
  const std::string same = "/proc/self/fd/" + std::to_string(place.get());
  const base::UniqueFd fd(::open(same.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_path(errno, path);
  return read_to_end(fd, path, max_bytes);
}

base::Result<std::string> read_link(const std::filesystem::path& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return fail_path(errno, path);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace twtrace::kernel
