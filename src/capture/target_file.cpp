// SPDX-License-Identifier: Apache-2.0
#include "capture/target_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "capture/open.hpp"

namespace twtrace::capture {
namespace {

constexpr std::size_t kLongestName = 255 - std::string_view(".old-journal").size();

tl::unexpected<base::Error> refuse(const std::string& what, const std::string& hint) {
  return base::fail(base::ErrorCode::kFailure, what, hint);
}

/// A file that cannot be written is a failure, not a missing privilege of tracing.
tl::unexpected<base::Error> refuse_errno(int saved_errno, const std::string& what, const std::string& hint) {
  auto error = base::fail_errno(saved_errno, what, hint);
  error.value().code = base::ErrorCode::kFailure;
  return error;
}

std::optional<unsigned> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const std::string_view whole(text);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  const bool usable = error == std::errc() && end == whole.data() + whole.size() && !whole.empty();
  return usable ? std::optional(value) : std::nullopt;
}

base::Result<void> check_directory(const std::string& directory, const Invoker& invoker) {
  struct stat found {};
  const int result = ::stat(directory.c_str(), &found);
  const int saved_errno = errno;
  if (result != 0) return refuse_errno(saved_errno, directory, "name a directory that exists");
  if (!S_ISDIR(found.st_mode)) return refuse(directory + " is no directory", "name a file in a directory that exists");
  const bool trusted = found.st_uid == 0 || found.st_uid == invoker.uid || found.st_uid == ::geteuid();
  if (!trusted || ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0)) {
    return refuse(directory + (trusted ? " may be written to by everybody" : " belongs to another user"),
                  "who may rename files there decides what is written: choose a directory of root or of your own");
  }
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return refuse_errno(errno, directory + " cannot be written to", "choose another directory");
  }
  return {};
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISDIR(mode)) return "a directory";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

/// What is at the path may be moved out of the way when it is a capture or holds nothing.
base::Result<void> check_present(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};  // nothing: as it should be
  if (!S_ISREG(found.st_mode)) {
    return refuse(path + " is " + kind_of(found.st_mode), "a capture is written to a regular file: name another one");
  }
  if (found.st_size == 0) return {};
  const auto looked = look_at(path);
  if (!looked) return refuse(looked.error().what, "it will not be replaced: name another file");
  if (looked->in_use) {
    return refuse(path + " is being written or read by another program", "wait for its end, or name another file");
  }
  return {};
}

/// Files that SQLite would take for parts of ours must be of nobody else.
base::Result<void> check_companions(const std::string& path, const Invoker& invoker) {
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    struct stat found {};
    if (::lstat((path + suffix).c_str(), &found) != 0) continue;
    const bool ours = found.st_uid == 0 || found.st_uid == invoker.uid || found.st_uid == ::geteuid();
    if (!S_ISREG(found.st_mode) || !ours) {
      return refuse(path + suffix + " is no file of ours", "remove it, or name another file");
    }
  }
  return {};
}

base::Result<void> move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return refuse_errno(errno, "cannot rename " + from + " to " + to, "move it away, or name another file");
}

}  // namespace

Invoker invoker() {
  Invoker who{::geteuid(), ::getegid()};
  const auto uid = number_in("SUDO_UID");
  const auto gid = number_in("SUDO_GID");
  if (who.uid == 0 && uid && gid) who = {*uid, *gid};
  return who;
}

base::Result<TargetFile> TargetFile::check(const std::string& path, const Invoker& invoker) {
  if (path == "-") {
    return base::fail(base::ErrorCode::kUsage, "a capture cannot be written to standard output",
                      "it is a database: name a file with -o");
  }
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == ".." || name.size() > kLongestName) {
    return base::fail(base::ErrorCode::kUsage, "-o: \"" + path + "\" is no name of a file", "name one");
  }
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::error_code error;
  const std::string resolved = std::filesystem::canonical(directory, error).string();
  if (error) return refuse_errno(error.value(), directory, "name a directory that exists");
  TargetFile target;
  target.given_ = path;
  target.path_ = resolved + (resolved == "/" ? "" : "/") + name;
  target.invoker_ = invoker;
  if (auto usable = check_directory(resolved, invoker); !usable) return tl::unexpected(usable.error());
  if (auto usable = check_present(target.path_); !usable) return tl::unexpected(usable.error());
  if (auto usable = check_companions(target.path_, invoker); !usable) return tl::unexpected(usable.error());
  return target;
}

base::Result<void> TargetFile::create() const {
  const std::string old = path_ + ".old";
  for (const char* suffix : {"-wal", "-shm", "-journal"}) ::unlink((old + suffix).c_str());
  if (auto moved = move(path_, old); !moved) return moved;
  if (auto moved = move(path_ + "-wal", old + "-wal"); !moved) return moved;
  for (const char* suffix : {"-shm", "-journal"}) ::unlink((path_ + suffix).c_str());

  const base::UniqueFd file(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  int saved_errno = errno;
  if (!file) return refuse_errno(saved_errno, "cannot make " + path_, "choose another directory");
  const bool foreign = invoker_.uid != ::geteuid() || invoker_.gid != ::getegid();
  if (foreign && ::fchown(file.get(), invoker_.uid, invoker_.gid) != 0) {
    saved_errno = errno;
    ::unlink(path_.c_str());
    return refuse_errno(saved_errno, "cannot give " + path_ + " to its user", "choose another directory");
  }
  return {};
}

}  // namespace twtrace::capture
