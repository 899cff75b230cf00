// SPDX-License-Identifier: Apache-2.0
// `twtrace export`: the metrics over HTTP or in a file, and pushed to a collector.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "app/after_start.hpp"
#include "app/command.hpp"
#include "app/option_groups.hpp"
#include "app/own_process.hpp"
#include "app/streams.hpp"
#include "app/version.hpp"
#include "app/watch.hpp"
#include "base/escape.hpp"
#include "base/log.hpp"
#include "export/listen_address.hpp"
#include "export/listeners.hpp"
#include "export/otlp_push.hpp"
#include "export/server.hpp"
#include "export/service_manager.hpp"
#include "export/site.hpp"
#include "export/textfile.hpp"
#include "output/metric_fold.hpp"
#include "output/openmetrics.hpp"
#include "output/otlp.hpp"
#include "output/summary.hpp"
#include "trace/host.hpp"
#include "view/troubles.hpp"

namespace twtrace::app {
namespace {

constexpr std::uint64_t kMostSeries = 1'000'000;
constexpr double kOldestYoung = 86400;

struct Export {
  std::vector<exporter::ListenAddress> addresses;  ///< empty: the default
  std::optional<std::string> telemetry_path;
  bool systemd_socket = false;
  std::string textfile;  ///< empty: HTTP
  output::MetricLimits limits;
  double delay_s = 1;
  TracingOptions tracing;

  void declare(OptionList& list);
  base::Result<void> check() const;
  base::Result<int> run() const;
};

base::Result<std::string> parse_telemetry_path(std::string_view typed) {
  const bool is_path = typed.front() == '/' && typed.find_first_of(" ?#%\t\r\n") == std::string_view::npos;
  if (is_path && typed.rfind("/-/", 0) != 0) return std::string(typed);
  return base::fail(base::ErrorCode::kUsage, fmt::format("\"{}\" is not a path for metrics", typed),
                    "give a path that begins with a slash, as in /metrics");
}

void Export::declare(OptionList& list) {
  using output::MetricNamespaces;
  list.section("Web");
  list.option("--web.listen-address", "ADDRESS", "listen here (default 127.0.0.1:9476); may be repeated",
              [this](const std::string& typed) -> base::Result<void> {
                auto address = exporter::parse_listen_address(typed);
                if (!address) return tl::unexpected(address.error());
                addresses.push_back(std::move(*address));
                return {};
              });
  list.option("--web.telemetry-path", "PATH", "path of the metrics (default /metrics)",
              take_parsed(telemetry_path, parse_telemetry_path));
  list.flag("--web.systemd-socket", "listen on the sockets that systemd passes", systemd_socket);
  list.section("Output");
  list.option("--textfile", "FILE", "write the metrics into FILE instead, once per sample", file(textfile));
  list.section("Metrics");
  list.option("--metrics.netns", "WHICH", "namespaces with a label: host, named, all (default)",
              one_of(limits.namespaces, {{"host", MetricNamespaces::kHost},
                                         {"named", MetricNamespaces::kNamed},
                                         {"all", MetricNamespaces::kAll}}));
  list.option("--metrics.max-series", "N", "count new workloads as \"other\" after N (default 2000)",
              whole_number(limits.max_series, 0, kMostSeries));
  list.option("--metrics.min-age", "SECONDS", "count younger workloads as \"other\" (default 30)",
              seconds(limits.min_age_s, 0, kOldestYoung));
  list.section("Intervals");
  declare_delay(list, delay_s);
  tracing.declare(list);
  list.check([this] { return check(); });
}

base::Result<void> Export::check() const {
  const bool has_web = systemd_socket || telemetry_path || !addresses.empty();
  if (!textfile.empty() && has_web) {
    return base::fail(base::ErrorCode::kUsage, "--textfile cannot be combined with --web options",
                      "leave --textfile out for HTTP, or the --web options for a file");
  }
  if (systemd_socket && !addresses.empty()) {
    return base::fail(base::ErrorCode::kUsage, "--web.systemd-socket cannot be combined with --web.listen-address",
                      "give the addresses in the socket unit");
  }
  return {};
}

/// Where the metrics go: opened before anything is attached.
struct Opened {
  std::vector<exporter::Listener> listeners;
  std::optional<exporter::Textfile> file;
};

base::Result<Opened> open(const Export& options) {
  Opened opened;
  if (!options.textfile.empty()) {
    auto file = exporter::Textfile::check(options.textfile);
    if (!file) return base::prepend(file.error(), "--textfile");
    opened.file = std::move(*file);
    return opened;
  }
  static const exporter::ListenAddress kDefault{"127.0.0.1", 9476};
  const auto addresses = options.addresses.empty() ? std::vector{kDefault} : options.addresses;
  auto listeners = options.systemd_socket ? exporter::take_systemd_sockets() : exporter::listen_on(addresses);
  if (!listeners) return tl::unexpected(listeners.error());
  opened.listeners = std::move(*listeners);
  return opened;
}

std::uint64_t unix_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

/// Pushes the metrics of one sample per interval.
class Pushing {
 public:
  /// Forks, see OtlpPush::start().
  static base::Result<Pushing> start(const exporter::OtlpSettings& settings, const TracingOptions& tracing) {
    auto push = exporter::OtlpPush::start(settings, [&]() -> base::Result<void> {
      if (tracing.keep_privileges) return {};
      trace::Reduction reduction = reading_only();
      reduction.network = trace::Network::kConnects;
      return trace::reduce_privileges(reduction);
    });
    if (!push) return tl::unexpected(push.error());
    return Pushing(settings, std::move(*push));
  }

  void sample(const output::MetricFold& fold) {
    push_.flush();
    const auto now = std::chrono::steady_clock::now();
    if (now < due_) return;
    // A sample may come a little early. The next one may be a whole interval later.
    constexpr std::chrono::milliseconds kEarly{500};
    due_ = now + interval_ - std::min(interval_ / 2, kEarly);
    const bool taken = push_.send(document(fold));
    if (!taken && !is_late_) spdlog::warn("the receiver of pushed metrics does not keep up: some pushes are left out");
    is_late_ = !taken;
  }

  /// Pushes the last sample, and waits for it until the deadline. What goes wrong is said, and no failure of the
  /// command.
  void finish(const output::MetricFold& fold, exporter::OtlpPush::Deadline deadline) {
    if (auto finished = push_.finish(document(fold), deadline); !finished) base::log_error(finished.error());
  }

  int child_fd() const { return push_.child_fd(); }

  /// Why nothing is pushed any more, once child_fd() is readable.
  base::Error ended() {
    base::Error error = push_.ended();
    error.hint = "start twtrace again: it has no privilege left to start another such process";
    return error;
  }

 private:
  std::string document(const output::MetricFold& fold) {
    context_.now_unix_ns = unix_now_ns();
    return output::otlp_metrics(fold, {kVersion, kCommit}, own_process(*fold.head()), context_);
  }

  Pushing(const exporter::OtlpSettings& settings, exporter::OtlpPush push)
      : interval_(settings.interval), push_(std::move(push)) {
    const std::string host = trace::host_info().name;
    // Prometheus makes the label instance from the second one: without it, all hosts would have the same series.
    context_.resource = {{"host.name", host}, {"service.instance.id", host}, {"service.version", kVersion}};
    for (const auto& [key, value] : settings.resource) context_.resource[key] = value;
    context_.start_unix_ns = unix_now_ns();
  }

  std::chrono::milliseconds interval_;
  exporter::OtlpPush push_;
  output::OtlpContext context_;
  std::chrono::steady_clock::time_point due_;
  bool is_late_ = false;
};

/// What `systemctl status` shows: where the metrics are, and the worst trouble.
class Status {
 public:
  Status(exporter::ServiceManager& manager, std::string where) : manager_(manager), where_(std::move(where)) {}

  void sample(const trace::Session& session, const model::Source& source) {
    if (!manager_.listens()) return;
    model::Snapshot head = session.head();
    head.troubles = view::find_troubles(source, head, {});
    manager_.status(where_ + ": " + output::trouble_summary(head));
  }

 private:
  exporter::ServiceManager& manager_;
  std::string where_;
};

/// The metrics of the last sample. Each format is written when somebody first asks for it.
class Metrics {
 public:
  Metrics(const output::MetricLimits& limits, std::optional<Pushing> pushing, Status status)
      : fold_(limits), pushing_(std::move(pushing)), status_(std::move(status)) {}

  base::Result<void> sample(trace::Session& session, bool last) {
    if (auto sampled = session.sample(last); !sampled) return sampled;
    const bool was_full = fold_.is_full();
    session.with_source([&](const model::Source& source) {
      fold_.observe(session.head(), source);
      status_.sample(session, source);
    });
    if (fold_.is_full() && !was_full) {
      spdlog::warn("the limit of --metrics.max-series is reached: new workloads are folded into \"{}\"",
                   output::kFolded);
    }
    texts_.clear();
    if (pushing_ && !last) pushing_->sample(fold_);
    return {};
  }

  const output::MetricFold& fold() const { return fold_; }
  /// Null if nothing is pushed.
  Pushing* pushing() { return pushing_ ? &*pushing_ : nullptr; }

  /// Null before the first sample.
  std::shared_ptr<const std::string> text(output::MetricFormat format) {
    if (!fold_.head()) return nullptr;
    auto& text = texts_[format];
    if (!text) text = write(format, own_process(*fold_.head()));
    return text;
  }

  /// For a file that is shown beside another exporter's metrics.
  std::string without_process() const {
    return output::metrics_text(fold_, {kVersion, kCommit}, std::nullopt, output::MetricFormat::kText);
  }

 private:
  std::shared_ptr<const std::string> write(output::MetricFormat format, const output::ProcessMetrics& process) const {
    return std::make_shared<const std::string>(output::metrics_text(fold_, {kVersion, kCommit}, process, format));
  }

  output::MetricFold fold_;
  std::optional<Pushing> pushing_;
  Status status_;
  std::map<output::MetricFormat, std::shared_ptr<const std::string>> texts_;
};

/// Replaces the file. A failure is reported once, until it works again.
class FileWriter {
 public:
  explicit FileWriter(const exporter::Textfile& file) : file_(file) {}

  void write(const std::string& text) {
    const auto written = file_.write(text);
    if (!written && !failed_) base::log_error(written.error());
    failed_ = !written;
  }
  bool failed() const { return failed_; }

 private:
  const exporter::Textfile& file_;
  bool failed_ = false;
};

base::Result<int> export_file(Watch& watch, Metrics& metrics, const exporter::Textfile& file) {
  FileWriter writer(file);
  while (true) {
    const auto wake = watch.loop.wait(watch.session.ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == EventLoop::Wake::kRing) {
      if (auto drained = watch.session.drain(); !drained) return tl::unexpected(drained.error());
      continue;
    }
    if (*wake == EventLoop::Wake::kChild) return tl::unexpected(metrics.pushing()->ended());
    const bool stop = *wake == EventLoop::Wake::kStop;
    const auto deadline = std::chrono::steady_clock::now() + exporter::OtlpPush::kFarewell;
    if (auto sampled = metrics.sample(watch.session, stop); !sampled) return tl::unexpected(sampled.error());
    writer.write(metrics.without_process());
    if (!stop) continue;
    if (metrics.pushing() != nullptr) metrics.pushing()->finish(metrics.fold(), deadline);
    return writer.failed() ? kExitFailure : kExitOk;
  }
}

/// Takes a last sample if it is pushed. Nobody scrapes it any more.
base::Result<int> push_last(Watch& watch, Metrics& metrics) {
  if (metrics.pushing() == nullptr) return kExitOk;
  const auto deadline = std::chrono::steady_clock::now() + exporter::OtlpPush::kFarewell;
  if (auto sampled = metrics.sample(watch.session, true); !sampled) return tl::unexpected(sampled.error());
  metrics.pushing()->finish(metrics.fold(), deadline);
  return kExitOk;
}

base::Result<int> serve(Watch& watch, Metrics& metrics, exporter::Server& server) {
  watch.loop.watch_server(server.fd());
  while (true) {
    const auto wake = watch.loop.wait(watch.session.ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    base::Result<void> done;
    switch (*wake) {
      case EventLoop::Wake::kStop:
        return push_last(watch, metrics);
      case EventLoop::Wake::kChild:
        return tl::unexpected(metrics.pushing()->ended());
      case EventLoop::Wake::kTimer:
        done = metrics.sample(watch.session, false);
        break;
      case EventLoop::Wake::kServer:
        server.run();
        break;
      default:
        done = watch.session.drain();
        break;
    }
    if (!done) return tl::unexpected(done.error());
  }
}

/// Nothing where the environment names no collector.
base::Result<std::optional<Pushing>> start_pushing(const TracingOptions& tracing) {
  const auto settings = exporter::otlp_settings([](const char* name) { return std::getenv(name); });
  if (!settings) return tl::unexpected(settings.error());
  if (!*settings) return std::nullopt;
  if (const std::string& off = (*settings)->off; !off.empty()) {
    spdlog::warn("metrics are not pushed: {}", base::sanitize_terminal(off));
    return std::nullopt;
  }
  auto pushing = Pushing::start(**settings, tracing);
  if (!pushing) return tl::unexpected(pushing.error());
  return std::optional(std::move(*pushing));
}

/// Nobody where the environment names no socket. A socket that cannot be used is no reason to stop.
exporter::ServiceManager service_manager() {
  auto manager = exporter::ServiceManager::connect(std::getenv("NOTIFY_SOCKET"));
  if (manager) return std::move(*manager);
  base::log_error(manager.error());
  return {};
}

/// The URLs of the metrics, or their file.
std::vector<std::string> places(const Export& options, const Opened& opened) {
  if (opened.file) return {options.textfile};
  const std::string path = options.telemetry_path.value_or(exporter::Site().telemetry_path);
  std::vector<std::string> urls;
  for (const auto& listener : opened.listeners) urls.push_back(fmt::format("http://{}{}", listener.address, path));
  return urls;
}

base::Result<std::unique_ptr<exporter::Server>> make_server(const Export& options, Opened& opened, Metrics& metrics) {
  exporter::Site site;
  if (options.telemetry_path) site.telemetry_path = *options.telemetry_path;
  site.metrics = [&metrics](output::MetricFormat format) { return metrics.text(format); };
  return exporter::Server::create(std::move(opened.listeners), std::move(site));
}

base::Result<int> run_with(const Export& options, std::optional<Pushing> pushing, exporter::ServiceManager& manager) {
  auto opened = open(options);
  if (!opened) return tl::unexpected(opened.error());
  const auto where = places(options, *opened);
  Metrics metrics(options.limits, std::move(pushing), Status(manager, fmt::format("{}", fmt::join(where, " "))));
  std::unique_ptr<exporter::Server> server;
  if (!opened->file) {
    auto made = make_server(options, *opened, metrics);
    if (!made) return tl::unexpected(made.error());
    server = std::move(*made);
  }
  auto watch = begin_watch(options.tracing.session);
  if (!watch) return tl::unexpected(watch.error());
  if (auto sampled = metrics.sample(watch->session, false); !sampled) return tl::unexpected(sampled.error());
  if (opened->file) {
    if (auto written = opened->file->write(metrics.without_process()); !written) return tl::unexpected(written.error());
  }
  trace::Reduction reduction = opened->file ? replacing(options.textfile) : reading_only();
  if (!opened->file) reduction.network = trace::Network::kServes;
  if (auto dropped = drop_privileges(options.tracing, reduction); !dropped) return tl::unexpected(dropped.error());
  std::string begun;
  for (const std::string& place : where) begun += (opened->file ? "writing " : "listening on ") + place + '\n';
  write_stderr(begun + "ready\n");
  manager.ready();
  if (auto set = watch->loop.set_interval(std::chrono::duration<double>(options.delay_s)); !set) {
    return tl::unexpected(set.error());
  }
  if (Pushing* pushes = metrics.pushing(); pushes != nullptr) watch->loop.watch_child(pushes->child_fd());
  return opened->file ? export_file(*watch, metrics, *opened->file) : serve(*watch, metrics, *server);
}

base::Result<int> Export::run() const {
  auto pushing = start_pushing(tracing);  // before there is anything that its process should not have
  if (!pushing) return tl::unexpected(pushing.error());
  auto manager = service_manager();
  auto ended = run_with(*this, std::move(*pushing), manager);
  manager.stopping(ended ? "stopped" : ended.error().what);
  return ended;
}

}  // namespace

extern const Command kExport = {"export", "serve metrics for Prometheus, or write them to a file", prepare<Export>};

}  // namespace twtrace::app
