// SPDX-License-Identifier: Apache-2.0
#include "capture/target_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
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
#include <utility>

#include "capture/locks.hpp"
#include "capture/open.hpp"

namespace twtrace::capture {
namespace {

constexpr std::size_t kLongestName = 255 - std::string_view(".new-journal").size();
/// How often to try to make a file while others remove it.
constexpr int kMakeAttempts = 10;

tl::unexpected<base::Error> refuse(const std::string& what, const std::string& hint) {
  return base::fail(base::ErrorCode::kFailure, what, hint);
}

/// A file that cannot be written is a failure, not a privilege that tracing lacks.
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
  if (!S_ISDIR(found.st_mode))
    return refuse(directory + " is not a directory", "name a file in a directory that exists");
  const bool trusted = found.st_uid == 0 || found.st_uid == invoker.uid || found.st_uid == ::geteuid();
  if (!trusted || ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0)) {
    return refuse(directory + (trusted ? " may be written to by everybody" : " belongs to another user"),
                  "whoever can rename files there controls the capture: choose a directory of root or your own");
  }
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return refuse_errno(errno, directory + " cannot be written to", "choose another directory");
  }
  return {};
}

/// With the effective ids of that user for the moment.
bool is_writable_for(const std::string& directory, const Invoker& who) {
  const Invoker self{::geteuid(), ::getegid()};
  if (::setegid(who.gid) != 0) return false;
  const bool asked = ::seteuid(who.uid) == 0;
  const bool writable = asked && ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  if (::seteuid(self.uid) != 0 || ::setegid(self.gid) != 0) std::abort();  // nobody else's ids may stay
  return writable;
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISDIR(mode)) return "a directory";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

/// The earlier capture at the path, which must make room, if there is one. An empty file counts as none.
base::Result<std::optional<Looked>> earlier_capture(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::optional<Looked>();
  if (!S_ISREG(found.st_mode)) {
    return refuse(path + " is " + kind_of(found.st_mode), "a capture is written to a regular file: name another one");
  }
  auto looked = look_at(path);
  if (looked) return std::optional(std::move(*looked));
  if (found.st_size == 0) return std::optional<Looked>();
  return refuse(looked.error().what, "it will not be replaced: name another file");
}

base::Result<void> check_earlier(const std::string& path) {
  const auto earlier = earlier_capture(path);
  if (!earlier) return tl::unexpected(earlier.error());
  if (!*earlier) return {};
  if ((*earlier)->written) {
    return refuse("another capture is being written to " + path, "wait for its end, or name another file");
  }
  if ((*earlier)->in_use) return refuse(path + " is open in another program", "close it there, or name another file");
  return {};
}

bool is_ours(const struct stat& found, const Invoker& invoker) {
  return found.st_uid == 0 || found.st_uid == invoker.uid || found.st_uid == ::geteuid();
}

tl::unexpected<base::Error> being_taken(const std::string& new_path) {
  return refuse("another capture is about to be written to " + new_path.substr(0, new_path.size() - kNew.size()),
                "wait for its end, or name another file");
}

/// Files that SQLite would take for parts of ours must not belong to anybody else.
base::Result<void> check_companions(const std::string& path, const Invoker& invoker) {
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    struct stat found {};
    if (::lstat((path + suffix).c_str(), &found) != 0) continue;
    if (!S_ISREG(found.st_mode) || !is_ours(found, invoker)) {
      return refuse(path + suffix + " is not a file of twtrace", "remove it, or name another file");
    }
  }
  return {};
}

void remove_companions(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

base::Result<void> move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return refuse_errno(errno, "cannot rename " + from + " to " + to, "move it away, or name another file");
}

/// At every step the earlier capture is whole under one of the two names. Its -wal has both names while the capture is
/// renamed.
base::Result<void> make_room(const std::string& path, const Looked& earlier) {
  const std::string old = path + ".old";
  if (earlier.has_wal) ::unlink(old.c_str());  // the -wal does not belong to it
  remove_companions(old);
  if (earlier.has_wal && ::link((path + "-wal").c_str(), (old + "-wal").c_str()) != 0) {
    return refuse_errno(errno, "cannot link " + path + "-wal to " + old + "-wal", "move it away, or name another file");
  }
  return move(path, old);
}

bool is_named(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

/// How many samples a capture has that nobody writes. Empty if it is none, or only the beginning of one.
std::optional<std::int64_t> samples_of(const std::string& path) {
  const auto opened = open_for_reading(path);
  if (!opened) return std::nullopt;
  const auto samples = opened->database.number("SELECT count(*) FROM sample");
  return samples ? std::optional(*samples) : std::nullopt;
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

/// Renames a capture that never got its name, so that the next one does not overwrite it. Its -wal has both names
/// meanwhile.
base::Result<void> set_aside(const std::string& path) {
  constexpr int kMostKept = 99;
  for (int number = 1; number <= kMostKept; ++number) {
    const std::string kept = fmt::format("{}.{}", path, number);
    if (exists(kept) || exists(kept + "-wal")) continue;
    if (exists(path + "-wal") && ::link((path + "-wal").c_str(), (kept + "-wal").c_str()) != 0) {
      return refuse_errno(errno, fmt::format("cannot link {0}-wal to {1}-wal", path, kept), "move it away");
    }
    if (auto moved = move(path, kept); !moved) return moved;
    spdlog::warn("{} holds a capture that never got its name; it is {} now", path, kept);
    return {};
  }
  return refuse(path + " holds a capture that never got its name", "rename it, and its -wal if there is one");
}

/// The remains of a capture that never got its name: what has no sample is removed. The lock keeps others from taking
/// them, too.
base::Result<void> clear_leftover(const std::string& path, const Invoker& invoker) {
  const base::UniqueFd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const int saved_errno = errno;
  if (!file && saved_errno == ENOENT) return {};
  struct stat found {};
  const bool known = file && ::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode);
  if (!known || !is_ours(found, invoker))
    return refuse(path + " is not a file of twtrace", "remove it, or name another file");
  const auto samples = samples_of(path);  // before the lock, with which it would be a file that somebody writes
  const auto locked = lock_for_writing(file.get());
  if (!locked) return base::prepend(locked.error(), path);
  if (!*locked) return being_taken(path);
  if (!is_named(path, file.get())) return {};
  // What cannot be read but has a -wal may have samples that sqlite3 can save.
  if (samples.value_or(0) > 0 || (!samples && exists(path + "-wal"))) return set_aside(path);
  ::unlink(path.c_str());
  return {};
}

/// Makes a file and locks it. If several processes try, one succeeds.
base::Result<base::UniqueFd> make_locked(const std::string& path, const Invoker& invoker) {
  for (int attempt = 0; attempt < kMakeAttempts; ++attempt) {
    base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    const int saved_errno = errno;
    if (!file && saved_errno != EEXIST)
      return refuse_errno(saved_errno, "cannot make " + path, "choose another directory");
    if (!file) {
      if (auto cleared = clear_leftover(path, invoker); !cleared) return tl::unexpected(cleared.error());
      continue;
    }
    const auto locked = lock_for_writing(file.get());
    if (!locked) return base::prepend(locked.error(), path);
    if (!*locked) return being_taken(path);
    if (is_named(path, file.get())) return file;
  }
  return being_taken(path);
}

}  // namespace

Invoker invoker() {
  Invoker who{::geteuid(), ::getegid()};
  const auto uid = number_in("SUDO_UID");
  const auto gid = number_in("SUDO_GID");
  if (who.uid == 0 && uid && gid) who = {*uid, *gid};
  return who;
}

bool can_write_without_privileges(const std::string& path, const Invoker& who) {
  const std::string directory = path.substr(0, path.rfind('/') + 1) + ".";
  struct stat place {};
  if (!is_writable_for(directory, who) || ::stat(directory.c_str(), &place) != 0) return false;
  if (place.st_uid == who.uid || (place.st_mode & S_ISVTX) == 0) return true;
  for (const char* kept : {"", ".old", ".new"}) {
    for (const char* part : {"", "-wal", "-shm", "-journal"}) {
      struct stat found {};
      if (::lstat((path + kept + part).c_str(), &found) == 0 && found.st_uid != who.uid) return false;
    }
  }
  return true;
}

base::Result<TargetFile> TargetFile::check(const std::string& path, const Invoker& invoker) {
  if (path == "-") {
    return base::fail(base::ErrorCode::kUsage, "a capture cannot be written to standard output",
                      "it is a database: name a file with -o");
  }
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    return base::fail(base::ErrorCode::kUsage, "-o: \"" + path + "\" is not the name of a file", "give one");
  }
  if (name.size() > kLongestName) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("-o: a name of {} bytes is too long", name.size()),
                      fmt::format("give one of at most {}: a capture also writes FILE.new, FILE-wal and others beside "
                                  "the file, and a name has 255 bytes at most",
                                  kLongestName));
  }
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::error_code error;
  const std::string resolved = std::filesystem::canonical(directory, error).string();
  if (error) return refuse_errno(error.value(), directory, "name a directory that exists");
  TargetFile target;
  target.given_ = path;
  target.path_ = resolved + (resolved == "/" ? "" : "/") + name;
  if (auto usable = check_directory(resolved, invoker); !usable) return tl::unexpected(usable.error());
  for (const char* suffix : {"", ".new", ".old"}) {
    if (auto usable = check_companions(target.path_ + suffix, invoker); !usable) return tl::unexpected(usable.error());
  }
  auto file = make_locked(target.new_path(), invoker);
  if (!file) return tl::unexpected(file.error());
  target.file_ = std::move(*file);
  remove_companions(target.new_path());
  // Checked while holding the lock. An earlier holder of the lock has placed its file or given up.
  for (const std::string& present : {target.path_, target.path_ + ".old"}) {
    if (auto usable = check_earlier(present); !usable) return tl::unexpected(usable.error());
  }
  // A capture that waits to be FILE.old would still be written when this one needs that name.
  if (is_reserved(target.path_ + ".old")) return being_taken(target.path_ + ".old" + std::string(kNew));
  const bool foreign = invoker.uid != ::geteuid() || invoker.gid != ::getegid();
  if (foreign && ::fchown(target.file_.get(), invoker.uid, invoker.gid) != 0) {
    return refuse_errno(errno, "cannot give " + target.new_path() + " to its user", "choose another directory");
  }
  return target;
}

TargetFile& TargetFile::operator=(TargetFile&& other) noexcept {
  std::swap(given_, other.given_);
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(in_the_way_, other.in_the_way_);
  std::swap(worth_keeping_, other.worth_keeping_);
  std::swap(placed_, other.placed_);
  return *this;
}

TargetFile::~TargetFile() {
  if (!file_ || placed_ || worth_keeping_) return;
  ::unlink(new_path().c_str());
  remove_companions(new_path());
}

std::string TargetFile::new_path() const { return path_ + std::string(kNew); }

base::Result<bool> TargetFile::place() {
  const auto older = earlier_capture(path_ + ".old");
  if (!older) return tl::unexpected(older.error());
  const auto earlier = earlier_capture(path_);
  if (!earlier) return tl::unexpected(earlier.error());
  for (const auto& [present, name] : {std::pair(&*older, given_ + ".old"), std::pair(&*earlier, given_)}) {
    if (!*present || !((*present)->written || ((*present)->in_use && (*present)->in_wal_mode))) continue;
    in_the_way_ = (*present)->written ? "another capture writes " + name : "another program has " + name + " open";
    return false;
  }
  if (*earlier) {
    if (auto made = make_room(path_, **earlier); !made) return tl::unexpected(made.error());
  }
  remove_companions(path_);  // the rest of the earlier one is FILE.old-wal
  if (auto moved = move(new_path(), path_); !moved) return tl::unexpected(moved.error());
  placed_ = true;
  sync_directory();
  return true;
}

bool TargetFile::in_place() const { return placed_ && is_named(path_, file_.get()); }

/// Makes the names survive a power cut, too.
void TargetFile::sync_directory() const {
  const std::string directory = path_.substr(0, path_.rfind('/') + 1);
  const base::UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened) ::fsync(opened.get());
}

}  // namespace twtrace::capture
