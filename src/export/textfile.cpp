// SPDX-License-Identifier: Apache-2.0
#include "export/textfile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.hpp"
#include "base/whole_io.hpp"

namespace twtrace::exporter {
namespace {

constexpr mode_t kEverybodyReads = 0644;

tl::unexpected<base::Error> failed(int saved_errno, const std::string& what) {
  const char* const hint =
      saved_errno == ENOSPC ? "make room on the device" : "give a file in a directory where twtrace may write";
  return base::fail_errno(saved_errno, what, hint);
}

/// A new file, whatever was left of an earlier one. Never through a link.
base::Result<base::UniqueFd> make(const std::string& path) {
  ::unlink(path.c_str());
  base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kEverybodyReads));
  const int saved_errno = errno;
  if (!file) return failed(saved_errno, "cannot make " + path);
  ::fchmod(file.get(), kEverybodyReads);  // whatever the umask
  return file;
}

}  // namespace

base::Result<Textfile> Textfile::check(const std::string& path) {
  struct stat found {};
  const bool is_something_else = ::lstat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
  if (path.empty() || path == "-" || path.back() == '/' || is_something_else) {
    return base::fail(base::ErrorCode::kUsage, "\"" + path + "\" cannot be replaced by a file",
                      "give the name of a regular file, as in twtrace.prom");
  }
  Textfile file(path);
  const std::string fresh = path + ".new";
  if (auto made = make(fresh); !made) return tl::unexpected(made.error());
  ::unlink(fresh.c_str());
  return file;
}

base::Result<void> Textfile::write(std::string_view text) const {
  const std::string fresh = path_ + ".new";
  auto file = make(fresh);
  if (!file) return tl::unexpected(file.error());
  int error = base::write_all(file->get(), text);
  if (error == 0 && ::rename(fresh.c_str(), path_.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(fresh.c_str());
  return failed(error, "cannot write " + path_);
}

}  // namespace twtrace::exporter
