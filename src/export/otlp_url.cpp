// SPDX-License-Identifier: Apache-2.0
#include "export/otlp_url.hpp"

#include <curl/curl.h>

#include <memory>

namespace twtrace::exporter {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

/// Empty if the URL has no such part.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeUrl> freed(text);
  return text;
}

tl::unexpected<base::Error> invalid(const std::string& why) { return base::fail(base::ErrorCode::kInvalid, why); }

}  // namespace

base::Result<OtlpUrl> otlp_url(const std::string& text, std::string_view more) {
  const Url parsed(curl_url());
  if (!parsed) return base::fail(base::ErrorCode::kFailure, "no memory");
  CURLU* const url = parsed.get();
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text.c_str(), 0);
  if (code != CURLUE_OK) return invalid(curl_url_strerror(code));
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return invalid("Unsupported URL scheme");
  if (!more.empty()) {
    std::string path = part_of(url, CURLUPART_PATH);
    while (path.ends_with('/')) path.pop_back();
    code = curl_url_set(url, CURLUPART_PATH, path.append(more).c_str(), 0);
  }
  OtlpUrl result;
  result.url = part_of(url, CURLUPART_URL);
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    if (code == CURLUE_OK) code = curl_url_set(url, part, nullptr, 0);
  }
  result.shown = part_of(url, CURLUPART_URL);
  if (code != CURLUE_OK) return invalid(curl_url_strerror(code));
  return result;
}

}  // namespace twtrace::exporter
