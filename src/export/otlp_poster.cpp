// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_poster.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>

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

/// The body of an answer says nothing that the status does not.
std::size_t ignore(const char* /*data*/, std::size_t size, std::size_t count, void* /*context*/) {
  return size * count;
}

tl::unexpected<base::Error> failed(const std::string& url, const std::string& why) {
  return base::fail(base::ErrorCode::kFailure, fmt::format("cannot push metrics to {}: {}", url, why));
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
    curl_easy_setopt(easy_handle, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy_handle, CURLOPT_ERRORBUFFER, error_.data());
  }

  base::Result<void> post(const std::string& document) override {
    error_.front() = '\0';
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, document.data());
    curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(document.size()));
    const CURLcode code = curl_easy_perform(easy_.get());
    if (code != CURLE_OK) return failed(url_, error_.front() != '\0' ? error_.data() : curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status < kOk || status >= kNotOk) return failed(url_, fmt::format("it answered {}", status));
    return {};
  }

 private:
  Headers headers_;
  Easy easy_;
  std::string url_;  ///< to show
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
