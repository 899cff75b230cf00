// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_poster.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "export/otlp_reply.hpp"

namespace twtrace::exporter {
namespace {

struct Free {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, Free>;
using Headers = std::unique_ptr<curl_slist, Free>;

constexpr long kOk = 200;
constexpr long kNotOk = 300;

constexpr std::size_t kMostBody = 4096;  // of an answer, to look at

/// Keeps the beginning of the body of an answer.
std::size_t keep_some(const char* data, std::size_t size, std::size_t count, void* body) {
  std::string& kept = *static_cast<std::string*>(body);
  kept.append(data, std::min(size * count, kMostBody - kept.size()));
  return size * count;
}

std::string failure(const std::string& url, const std::string& why) {
  return fmt::format("cannot push metrics to {}: {}", url, why);
}

tl::unexpected<base::Error> failed(const std::string& url, const std::string& why) {
  return base::fail(base::ErrorCode::kFailure, failure(url, why));
}

class CurlPoster : public OtlpPoster {
 public:
  CurlPoster(Easy easy, Headers headers, const OtlpSettings& settings)
      : headers_(std::move(headers)), easy_(std::move(easy)), url_(settings.url.shown) {
    CURL* const easy_handle = easy_.get();
    curl_easy_setopt(easy_handle, CURLOPT_URL, settings.url.url.c_str());
    curl_easy_setopt(easy_handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_handle, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(easy_handle, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
    curl_easy_setopt(easy_handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_handle, CURLOPT_WRITEFUNCTION, keep_some);
    curl_easy_setopt(easy_handle, CURLOPT_WRITEDATA, &body_);
    curl_easy_setopt(easy_handle, CURLOPT_ERRORBUFFER, error_.data());
  }

  OtlpAnswer post(const std::string& document) override {
    error_.front() = '\0';
    body_.clear();
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, document.data());
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(document.size()));
    const CURLcode code = curl_easy_perform(easy_.get());
    OtlpAnswer answer;
    if (code != CURLE_OK) {
      answer.complaint = failure(url_, error_.front() != '\0' ? error_.data() : curl_easy_strerror(code));
      return answer;
    }
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    const std::string said = otlp_quote(body_);
    if (answer.status < kOk || answer.status >= kNotOk) {
      answer.complaint =
          failure(url_, fmt::format("it answered {}{}{}", answer.status, said.empty() ? "" : ", ", said));
    } else if (otlp_rejects(body_)) {
      answer.complaint = fmt::format("{} did not take all metrics as they are: {}", url_, said);
    }
    return answer;
  }

 private:
  Headers headers_;
  Easy easy_;
  std::string url_;   ///< to show
  std::string body_;  ///< the beginning of the last answer's
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace

base::Result<std::unique_ptr<OtlpPoster>> OtlpPoster::create(const OtlpSettings& settings) {
  if (const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK) {
    return failed(settings.url.shown, curl_easy_strerror(code));
  }
  Easy easy(curl_easy_init());
  // "Expect: 100-continue" would make a simple receiver wait for a second.
  Headers headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  bool is_complete = easy && headers && curl_slist_append(headers.get(), "Expect:") != nullptr;
  for (const std::string& header : settings.headers) {
    is_complete = is_complete && curl_slist_append(headers.get(), header.c_str()) != nullptr;
  }
  if (!is_complete) return failed(settings.url.shown, "no memory");
  return std::make_unique<CurlPoster>(std::move(easy), std::move(headers), settings);
}

}  // namespace twtrace::exporter
