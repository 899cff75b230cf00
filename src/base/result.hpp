// SPDX-License-Identifier: Apache-2.0
// Errors are values: every fallible function of twtrace returns Result<T>.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace twtrace::base {

/// The kind of a failure, as far as callers need to tell kinds apart.
enum class ErrorCode {
  kFailure,      ///< the operation failed; exit code 1
  kUsage,        ///< the user asked for something that makes no sense; exit code 2
  kUnsupported,  ///< the kernel lacks it: degrade visibly, or exit code 77
  kPermission,   ///< a privilege is missing; exit code 77
  kNotFound,     ///< the object does not exist (any more)
  kInvalid,      ///< malformed input
  kReaderGone,   ///< nobody reads standard output any more, as under head(1): stop silently with exit code 0
};

/// A failure: what went wrong, the errno behind it, and what to do about it. Callers prepend context to it.
struct Error {
  ErrorCode code = ErrorCode::kFailure;
  int sys_errno = 0;  ///< 0 when no system call is behind it
  std::string what;
  std::string hint;  ///< what the user can do; empty when there is nothing to say
};

template <class T>
using Result = tl::expected<T, Error>;

/// A failure with no system call behind it.
inline tl::unexpected<Error> fail(ErrorCode code, std::string what, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, 0, std::move(what), std::move(hint)});
}

/// A failed system call. `saved_errno` must have been taken on the line after the call; EPERM and EACCES become
/// kPermission, ENOENT becomes kNotFound.
inline tl::unexpected<Error> fail_errno(int saved_errno, const std::string& what, std::string hint = {}) {
  ErrorCode code = ErrorCode::kFailure;
  if (saved_errno == EPERM || saved_errno == EACCES) code = ErrorCode::kPermission;
  if (saved_errno == ENOENT) code = ErrorCode::kNotFound;
  return tl::unexpected<Error>(Error{code, saved_errno, what + ": " + std::strerror(saved_errno), std::move(hint)});
}

/// The same failure with context in front: "context: what".
inline tl::unexpected<Error> prepend(Error error, const std::string& context) {
  error.what = context + ": " + error.what;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace twtrace::base
