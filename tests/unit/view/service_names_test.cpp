// SPDX-License-Identifier: Apache-2.0
#include "view/service_names.hpp"

#include <map>

#include "support/catch.hpp"

using namespace twtrace::view;
using twtrace::base::Service;

namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kOther = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeed";

Service unit(const std::string& cgroup) { return {"systemd", cgroup.substr(cgroup.rfind('/') + 1), cgroup, {}, {}}; }

Service container(const std::string& name, const std::string& cgroup, const std::string& id) {
  return {"docker", name, cgroup, {}, id};
}

std::vector<std::string> labels(const std::vector<Service>& services) {
  ServiceLabels known;
  for (const Service& service : services) known.add(service);
  std::vector<std::string> result;
  for (const Service& service : services) {
    result.push_back(known.label(service));
    ServiceLabel one(service);
    for (const Service& other : services) one.compare(other);
    CHECK(one.label() == result.back());
  }
  return result;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("services with names of their own are called by them") {
  CHECK(labels({unit("/system.slice/a.service"), unit("/system.slice/b.service"), {}}) ==
        Labels{"a.service", "b.service", ""});
  Service one = unit("/system.slice/a.service/1");
  Service two = unit("/system.slice/a.service/2");
  for (Service* service : {&one, &two}) {
    service->name = "a.service";
    service->inner_bytes = 2;
  }
  CHECK(labels({one, two, one}) == Labels{"a.service", "a.service", "a.service"});  // sub-cgroups of one service
}

TEST_CASE("units of one name are told apart by the shortest end of their paths") {
  CHECK(labels({unit("/a/worker.service"), unit("/b/worker.service")}) ==
        Labels{"a/worker.service", "b/worker.service"});
  CHECK(labels({unit("/a/x/worker.service"), unit("/b/x/worker.service"), unit("/b/y/worker.service")}) ==
        Labels{"a/x/worker.service", "b/x/worker.service", "y/worker.service"});
  // One path is the end of the other: only the slash in front is left.
  CHECK(labels({unit("/x/w.service"), unit("/y/x/w.service")}) == Labels{"/x/w.service", "y/x/w.service"});
  CHECK(labels({unit("/w.service"), unit("/x/w.service"), unit("/other.service")}) ==
        Labels{"/w.service", "x/w.service", "other.service"});
}

TEST_CASE("a path with thousands of segments costs no more than one with a few dozen") {
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "/a";
  // All ends that are looked at are equal. The whole paths are not.
  CHECK(labels({unit("/1" + deep), unit("/2" + deep)}) == Labels{"/1" + deep, "/2" + deep});
  const Service nested = container(deep.substr(1), "/docker/" + kId, kId);
  CHECK(service_matches(Pattern::whole(deep.substr(1, 99)), nested));
  CHECK_FALSE(service_matches(Pattern::whole(deep.substr(1, 100)), nested));
  CHECK(service_matches(Pattern("*/a/a"), unit(deep)));
}

TEST_CASE("a label is never the name or label of another service") {
  Service inside = container("a/worker.service", "/docker/" + kId + "/system.slice/worker.service", kId);
  CHECK(labels({unit("/x/a/worker.service"), unit("/x/b/worker.service"), inside}) ==
        Labels{"x/a/worker.service", "b/worker.service", "a/worker.service"});
  Service one = container("web/w.service", "/lxc/web/s/w.service", "web");
  Service two = container("web/w.service", "/lxc.payload.web/s/w.service", "web");
  CHECK(labels({one, two, unit("/s/w.service"), unit("/t/w.service")}) ==
        Labels{"web/s/w.service", "lxc.payload.web/s/w.service", "/s/w.service", "t/w.service"});
}

TEST_CASE("containers of one name are told apart by their ids") {
  CHECK(labels({container("web", "/docker/" + kId, kId), container("web", "/docker/" + kOther, kOther)}) ==
        Labels{"web@0123456789ab", "web@f00dfeedf00d"});
  CHECK(labels({container("web", "/docker/" + kId, kId), unit("/x/web")}) == Labels{"web@0123456789ab", "x/web"});
  // The container of a name and its monitor.
  CHECK(labels({container("web", "/lxc.payload.web", "web"), container("web", "/lxc.monitor.web", "web")}) ==
        Labels{"lxc.payload.web", "lxc.monitor.web"});
}

TEST_CASE("whatever the paths, labels differ where services do") {
  std::vector<Service> services;
  const char* const segments[] = {"a", "b", "w.service"};
  for (int depth = 1; depth <= 4; ++depth) {
    for (int number = 0; number < 81; ++number) {
      std::string path;
      for (int i = 0, rest = number; i < depth; ++i, rest /= 3) path += std::string("/") + segments[rest % 3];
      services.push_back(unit(path));
    }
  }
  std::map<std::string, std::string> path_of;
  const Labels given = labels(services);
  for (std::size_t i = 0; i < services.size(); ++i) {
    const auto [known, is_new] = path_of.emplace(given[i], services[i].cgroup);
    CAPTURE(given[i]);
    CHECK(known->second == services[i].cgroup);
    CHECK(service_matches(Pattern(given[i]), services[i]));
    CHECK(service_matches(Pattern::whole(given[i]), services[i]));
  }
}

TEST_CASE("a service is selected by everything it is called by") {
  // A pattern with glob characters is taken as it is, a name has to be the whole one.
  const auto matches = [](const Service& service, std::initializer_list<const char*> yes,
                          std::initializer_list<const char*> no) {
    const auto is = [&](const char* text) {
      const bool is_glob = std::string(text).find_first_of("*?[") != std::string::npos;
      return service_matches(is_glob ? Pattern(text) : Pattern::whole(text), service);
    };
    for (const char* pattern : yes) {
      CAPTURE(pattern, service.name);
      CHECK(is(pattern));
    }
    for (const char* pattern : no) {
      CAPTURE(pattern, service.name);
      CHECK_FALSE(is(pattern));
    }
  };
  matches(unit("/x/a/worker.service"),
          {"worker.service", "worker", "a/worker.service", "x/a/worker.service", "/x/a/worker.service", "?/w*"},
          {"b/worker.service", "/a/worker.service", "a/worker", "a", "x", "service", "", "work"});

  Service inside = container("web1/nginx.service", "/lxc.payload.web1/system.slice/nginx.service", "web1");
  matches(inside,
          {"web1/nginx.service", "web1/nginx", "web1", "*/nginx.service", "system.slice/nginx.service",
           "web1/nginx.service@web1"},
          {"nginx.service", "nginx", "web", "web1/"});

  Service pod{"kubernetes", "shop/web-1/app", "/kubepods/burstable/podU/" + kId, {"shop", "web-1", "U-1"}, kId};
  matches(pod,
          {"shop/web-1/app", "shop", "shop/web-1", "web-1", "web-*", "U-1", "0123456789ab", kId.c_str(), "shop/*/app",
           "shop/web-1/app@0123456789ab"},
          {"app", "web", "0123456789", "shop/web", "U"});

  Service docker = container("my.app", "/docker/" + kId, kId);
  matches(docker, {"my.app", "my.app@0123456789ab", "0123456789ab"}, {"my", "my.app@f00dfeedf00d", "docker"});
  matches({"cgroup", "/custom.d/app.d", "/custom.d/app.d", {}, {}}, {"/custom.d/app.d", "custom.d/app.d"},
          {"/custom.d", "custom.d", "/custom.d/app"});
  matches({"slurm", "job_71/step_0", "/slurmstepd.scope/job_71/step_0", {}, {}}, {"job_71", "job_71/step_0", "job_7?"},
          {"step_0", "job_7"});
  matches({}, {}, {"", "@", "/"});
}
