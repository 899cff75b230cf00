// SPDX-License-Identifier: Apache-2.0
// The files of a machine in a directory, as each engine writes them.
#include "kernel/containers.hpp"

#include <sys/stat.h>

#include <functional>
#include <string>

#include "kernel/cgroup.hpp"
#include "support/catch.hpp"
#include "temp_tree.hpp"

using namespace twtrace::kernel;

namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kOther = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeed";
const std::string kUid = "8f2b1c4d-1111-2222-3333-444455556666";
const std::string kUser = "/user.slice/user-1000.slice/user@1000.service/user.slice";
const std::string kTasks = "run/containerd/io.containerd.runtime.v2.task/";
const std::string kPodPath = "/kubepods/burstable/pod" + kUid + "/" + kId;

std::string docker_config(const std::string& name, const std::string& labels = "") {
  return R"({"StreamConfig":{},"State":{"Running":true,"Pid":7},"ID":")" + kId +
         R"(","Config":{"Hostname":"h","Labels":{)" + labels + R"(}},"Name":")" + name + R"(","Driver":"overlay2"})";
}

std::string bundle(const std::string& annotations, const std::string& mounts = "") {
  return R"({"ociVersion":"1.0.2","process":{"args":["a"],"env":["A=b"]},"mounts":[)" + mounts +
         R"(],"annotations":{)" + annotations + "}}";
}

std::string cri(const std::string& type, const std::string& container = "app") {
  return R"("io.kubernetes.cri.container-type":")" + type + R"(","io.kubernetes.cri.container-name":")" + container +
         R"(","io.kubernetes.cri.sandbox-name":"web-1","io.kubernetes.cri.sandbox-namespace":"shop",)"
         R"("io.kubernetes.cri.sandbox-uid":")" +
         kUid + "\"";
}

// The service of a cgroup path, with the names that the tree gives.
twtrace::base::Service service(const TempTree& tree, const std::string& path, std::optional<std::uint32_t> pid = {}) {
  return classify_cgroup(path, [&](ContainerQuery query) {
    query.pid = pid;
    return find_container(tree.root(), query);
  });
}

void check(const TempTree& tree, const std::string& path, const std::string& kind, const std::string& name) {
  CAPTURE(path);
  const auto found = service(tree, path);
  CHECK(found.kind == kind);
  CHECK(found.name == name);
}

}  // namespace

TEST_CASE("docker's names, whatever the cgroup driver") {
  const TempTree tree;
  tree.file("var/lib/docker/containers/" + kId + "/config.v2.json", docker_config("/web"));
  check(tree, "/docker/" + kId, "docker", "web");
  check(tree, "/system.slice/docker-" + kId + ".scope", "docker", "web");
  check(tree, "/system.slice/docker-" + kId + ".scope/system.slice/nginx.service", "docker", "web/nginx.service");
  check(tree, "/system.slice/docker-" + kOther + ".scope", "docker", "f00dfeedf00d");
  check(tree, "/my/parent/" + kId, "docker", "web");  // --cgroup-parent
  check(tree, "/my/parent/" + kOther, "cgroup", "/my/parent/" + kOther);
}

TEST_CASE("docker's data root is where its settings say") {
  const std::string config = "/containers/" + kId + "/config.v2.json";
  {
    const TempTree tree;
    tree.file("etc/docker/daemon.json", R"({"log-driver":"journald","data-root":"/data/docker"})");
    tree.file("data/docker" + config, docker_config("/web"));
    check(tree, "/docker/" + kId, "docker", "web");
  }
  {
    const TempTree tree;
    tree.file("var/snap/docker/common/var-lib-docker" + config, docker_config("/web"));
    check(tree, "/docker/" + kId, "docker", "web");
  }
  {
    // Docker's bundle for containerd mounts files of the container, or of the container whose network it shares.
    const TempTree tree;
    tree.file("data/x" + config, docker_config("/web"));
    tree.file("run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/" + kId + "/config.json",
              bundle("", R"({"source":"proc"},{"source":"/etc/hosts"},{"destination":"/etc/hosts","source":)"
                         R"("/data/x/containers/)" +
                             kOther + R"(/hosts"})"));
    check(tree, "/docker/" + kId, "docker", "web");
  }
}

TEST_CASE("dockershim's containers have a pod") {
  const TempTree tree;
  const std::string pod = R"("io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":"shop",)"
                          R"("io.kubernetes.pod.uid":")" +
                          kUid + R"(","io.kubernetes.docker.type":)";
  const std::string file = "var/lib/docker/containers/" + kId + "/config.v2.json";
  tree.file(file,
            docker_config("/k8s_app_web-1_shop_x_0", pod + R"("container","io.kubernetes.container.name":"app")"));
  check(tree, kPodPath, "kubernetes", "shop/web-1/app");
  tree.file(file,
            docker_config("/k8s_POD_web-1_shop_x_0", pod + R"("podsandbox","io.kubernetes.container.name":"POD")"));
  check(tree, kPodPath, "kubernetes", "shop/web-1");
}

TEST_CASE("podman's names are in the list of containers/storage") {
  const std::string list = R"([{"id":")" + kOther + R"(","names":["db"]},{"id":")" + kId +
                           R"(","names":["web","alias"],"image":"","metadata":"{}"}])";
  const std::string libpod = bundle(R"("io.container.manager":"libpod")");
  for (const std::string root : {"var/lib/containers/storage", "srv/storage"}) {
    for (const std::string driver : {"overlay", "vfs", "btrfs", "zfs"}) {
      CAPTURE(root, driver);
      const TempTree tree;
      tree.file("etc/containers/storage.conf",
                "[storage]\n# graphroot = \"/no\"\ndriver = \"overlay\"\n graphroot = \"/srv/storage\" # x\n");
      const std::string containers = root + "/" + driver + "-containers/";
      tree.file(containers + kId + "/userdata/config.json", libpod);
      check(tree, "/machine.slice/libpod-" + kId + ".scope/container", "podman", "0123456789ab");
      tree.file(containers + "containers.json", list);
      check(tree, "/machine.slice/libpod-" + kId + ".scope/container", "podman", "web");
      check(tree, "/libpod_parent/libpod-" + kId, "podman", "web");
      tree.file(containers + "volatile-containers.json", list);
      tree.remove(containers + "containers.json");
      check(tree, "/libpod_parent/libpod-" + kId, "podman", "web");
    }
  }
}

TEST_CASE("a user's containers are looked up among the user's files alone") {
  const TempTree tree;
  tree.file("etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:A,,,:/home/ann:/bin/sh\n"
            "bob:x:1001:1001::/srv/bob:/bin/sh\nbroken\n");
  tree.file("var/lib/docker/containers/" + kId + "/config.v2.json", docker_config("/of-the-host"));
  check(tree, kUser + "/docker-" + kId + ".scope", "docker", "0123456789ab");

  tree.file("home/ann/.local/share/docker/containers/" + kId + "/config.v2.json", docker_config("/web"));
  tree.file("srv/bob/.local/share/containers/storage/overlay-containers/containers.json",
            R"([{"id":")" + kId + R"(","names":["db"]}])");
  tree.directory("srv/bob/.local/share/containers/storage/overlay-containers/" + kId);
  check(tree, kUser + "/docker-" + kId + ".scope", "docker", "web");
  check(tree, "/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-" + kId + ".scope", "podman", "db");
  check(tree, "/user.slice/user-1002.slice/user@1002.service/user.slice/libpod-" + kId + ".scope", "podman",
        "0123456789ab");
  check(tree, "/user.slice/user-0.slice/session-1.scope/docker/" + kId, "docker", "of-the-host");
}

TEST_CASE("containerd: ctr, nerdctl and the CRI plugin") {
  const TempTree tree;
  tree.file(kTasks + "default/" + kId + "/config.json",
            bundle(R"("nerdctl/name":"web","nerdctl/namespace":"default")"));
  check(tree, "/default/" + kId, "containerd", "web");
  check(tree, "/system.slice/nerdctl-" + kId + ".scope", "containerd", "web");
  tree.file(kTasks + "testing/redis/config.json", bundle(""));
  check(tree, "/testing/redis", "containerd", "redis");
  check(tree, "/other/redis", "cgroup", "/other/redis");
  CHECK(service(tree, "/testing/redis").container == "redis");

  tree.file(kTasks + "k8s.io/" + kOther + "/config.json", bundle(cri("container")));
  const std::string slice = "/kubepods.slice/kubepods-pod8f2b1c4d_1111_2222_3333_444455556666.slice/cri-containerd-";
  check(tree, slice + kOther + ".scope", "kubernetes", "shop/web-1/app");
  check(tree, slice + kOther + ".scope/init.scope", "kubernetes", "shop/web-1/app/init.scope");
  const auto named = service(tree, slice + kOther + ".scope");
  CHECK(named.pod == twtrace::base::Pod{"shop", "web-1", kUid});
  CHECK(named.container == kOther);
  tree.file(kTasks + "k8s.io/" + kOther + "/config.json", bundle(cri("sandbox")));
  check(tree, slice + kOther + ".scope", "kubernetes", "shop/web-1");
}

TEST_CASE("containerd keeps its bundles where the distribution or its settings say") {
  for (const std::string state :
       {"run/k3s/containerd", "run/k0s/containerd", "var/snap/microk8s/common/run/containerd", "mnt/state"}) {
    for (const std::string tasks : {"io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"}) {
      CAPTURE(state, tasks);
      const TempTree tree;
      tree.file("etc/containerd/config.toml", "version = 2\nroot = \"/mnt/root\"\nstate = \"/mnt/state\"\n");
      tree.file(state + "/" + tasks + "/k8s.io/" + kId + "/config.json", bundle(cri("container")));
      check(tree, kPodPath, "kubernetes", "shop/web-1/app");
    }
  }
}

TEST_CASE("cri-o's names are in its bundles") {
  const TempTree tree;
  const std::string file = "var/lib/containers/storage/overlay-containers/" + kId + "/userdata/config.json";
  const std::string pod = R"("io.container.manager":"cri-o","io.kubernetes.pod.name":"web-1",)"
                          R"("io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":")" +
                          kUid + R"(","io.kubernetes.cri-o.ContainerType":)";
  tree.file(file, bundle(pod + R"("container","io.kubernetes.container.name":"app")"));
  check(tree, "/kubepods.slice/kubepods-pod8f2b1c4d_1111_2222_3333_444455556666.slice/crio-" + kId + ".scope/container",
        "kubernetes", "shop/web-1/app");
  check(tree, "/system.slice/crio-" + kId + ".scope", "kubernetes", "shop/web-1/app");  // not a cgroup of the kubelet
  tree.file(file, bundle(pod + R"("sandbox","io.kubernetes.container.name":"POD")"));
  check(tree, kPodPath, "kubernetes", "shop/web-1");
}

TEST_CASE("where the runtime's files cannot be read, the names of log files tell") {
  const TempTree tree;
  tree.directory("var/log/pods/shop_web-1_" + kUid + "/app");
  tree.directory("var/log/pods/other_x_0f2b1c4d-1111-2222-3333-444455556666");
  tree.directory("var/log/pods/odd");
  check(tree, kPodPath, "kubernetes", "shop/web-1/0123456789ab");
  check(tree, "/kubepods/burstable/pod" + kUid, "kubernetes", "shop/web-1");
  tree.link("var/log/containers/web-1_shop_app-" + kId + ".log", "/var/log/pods/nowhere");
  tree.link("var/log/containers/web-2_shop_app-" + kOther + ".log", "/var/log/pods/nowhere");
  check(tree, kPodPath, "kubernetes", "shop/web-1/app");
  CHECK(service(tree, kPodPath).pod == twtrace::base::Pod{"shop", "web-1", kUid});
  check(tree, "/docker/" + kId, "docker", "0123456789ab");
  // The uid of a static pod is a hash, in its cgroup and in its logs.
  const std::string hash = "0123456789abcdef0123456789abcdef";
  tree.directory("var/log/pods/kube-system_etcd-n1_" + hash);
  check(tree, "/kubepods/burstable/pod" + hash + "/" + kOther, "kubernetes", "shop/web-2/app");
  tree.remove("var/log/containers");
  check(tree, "/kubepods/burstable/pod" + hash + "/" + kOther, "kubernetes", "kube-system/etcd-n1/f00dfeedf00d");
}

namespace {

// Adds a process to the machine.
void add_process(const TempTree& tree, int pid, int parent, const std::string& cgroup, const std::string& cmdline) {
  const std::string directory = "proc/" + std::to_string(pid) + "/";
  tree.file(directory + "cgroup", "9:name=systemd:/x\n0::" + cgroup + "\n");
  tree.file(directory + "stat",
            std::to_string(pid) + " (a) S " + std::to_string(parent) + " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 100 0 0\n");
  tree.file(directory + "cmdline", cmdline);
  tree.link(directory + "root", tree.root());
}

std::string arguments(std::initializer_list<std::string> words) {
  std::string joined;
  for (const std::string& word : words) joined += word + '\0';
  return joined;
}

}  // namespace

TEST_CASE("an engine with folders of its own is found by what supervises the container") {
  const TempTree tree;
  const std::string cgroup = "/docker/" + kId;
  add_process(tree, 30, 20, cgroup + "/inner", arguments({"worker"}));
  add_process(tree, 20, 10, cgroup, arguments({"conmon", "-c", kId, "-n", "forged"}));  // inside the container
  add_process(tree, 10, 1, "/", arguments({"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", kId}));
  add_process(tree, 1, 0, "/", arguments({"init"}));
  CHECK(service(tree, cgroup, 30).name == "0123456789ab");
  tree.file("my/exec/tasks/moby/" + kId + "/config.json",
            bundle("", R"({"source":"/my/data/containers/)" + kId + R"(/hostname"})"));
  tree.link("proc/10/cwd", tree / ("my/exec/tasks/moby/" + kId));
  CHECK(service(tree, cgroup, 30).name == "0123456789ab");
  tree.file("my/data/containers/" + kId + "/config.v2.json", docker_config("/web"));
  CHECK(service(tree, cgroup, 30).name == "web");
  CHECK(service(tree, cgroup, 20).name == "web");
  CHECK(service(tree, cgroup).name == "0123456789ab");
  // While a container comes up, the runtime is between its first process and the shim.
  add_process(tree, 15, 10, "/", arguments({"runc", "create", kId}));
  add_process(tree, 25, 15, cgroup, arguments({"runc", "init"}));
  CHECK(service(tree, cgroup, 25).name == "web");
  CHECK(service(tree, "/docker/" + kOther, 30).name == "f00dfeedf00d");  // the tree does not have it

  // A pod has one shim. The bundle of the shim is the sandbox's.
  add_process(tree, 40, 10, kPodPath, arguments({"app"}));
  tree.file("my/exec/tasks/moby/" + kId + "/config.json", bundle(cri("container")));
  tree.directory("my/exec/tasks/moby/" + kOther);
  tree.link("proc/10/cwd", tree / ("my/exec/tasks/moby/" + kOther));
  CHECK(service(tree, kPodPath, 40).name == "shop/web-1/app");

  add_process(tree, 50, 10, "/testing/redis", arguments({"redis"}));
  tree.file("my/exec/tasks/moby/redis/config.json", bundle(""));
  CHECK(service(tree, "/testing/redis", 50).kind == "containerd");
}

TEST_CASE("podman with folders of its own is found by conmon") {
  const TempTree tree;
  const std::string cgroup = kUser + "/libpod-" + kId + ".scope";
  add_process(tree, 30, 20, cgroup + "/container", arguments({"worker"}));
  add_process(tree, 20, 1, kUser + "/libpod-conmon-" + kId + ".scope",
              arguments({"/usr/bin/conmon", "-c", kId, "-b", "/my/overlay-containers/" + kId + "/userdata", "-n", "web",
                         "--exit-command-arg", "-n", "--exit-command-arg", "x"}));
  CHECK(service(tree, cgroup, 30).name == "web");
  tree.directory("my/overlay-containers/" + kId);
  tree.file("my/overlay-containers/containers.json", R"([{"id":")" + kId + R"(","names":["listed"]}])");
  CHECK(service(tree, cgroup, 30).name == "listed");
  CHECK(service(tree, cgroup, 30).kind == "podman");
  CHECK(service(tree, kUser + "/libpod-" + kOther + ".scope", 30).name == "f00dfeedf00d");
  tree.file("my/overlay-containers/" + kId + "/userdata/config.json",
            bundle(R"("io.container.manager":"cri-o","io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":)"
                   R"("shop","io.kubernetes.container.name":"app")"));
  CHECK(service(tree, cgroup, 30).name == "shop/web-1/app");
}

TEST_CASE("what is hostile, broken or huge leaves the short id") {
  const TempTree tree;
  const std::string directory = "var/lib/docker/containers/" + kId;
  const std::string file = directory + "/config.v2.json";
  const auto name = [&](const std::string& text) {
    tree.file(file, text);
    return service(tree, "/docker/" + kId).name;
  };
  CHECK(name(docker_config("/" + std::string(255, 'a'))) == std::string(255, 'a'));
  CHECK(name(docker_config("/" + std::string(256, 'a'))) == "0123456789ab");
  CHECK(name(docker_config("\\u001b[2J\\n\\u202e")) == "\x1b[2J\n\xe2\x80\xae");  // sinks escape
  for (const char* bad : {"", "/", "/shop/web/app", "a/b", "\\u0000", "a\\u0000b", "\x80"}) {
    CAPTURE(bad);
    CHECK(name(docker_config(bad)) == "0123456789ab");
  }
  for (const std::string& bad :
       {std::string(), std::string("null"), std::string("[]"), std::string("{"), std::string("\0\0", 2),
        std::string(R"({"Name":7})"), std::string(R"({"Name":["a"],"Config":{"Labels":3}})"),
        std::string(R"({"Config":[]})"), std::string(1 << 20, '['),
        std::string(R"({"Name":"/web","x":")") + std::string(1 << 20, 'x') + "\"}"}) {
    CHECK(name(bad) == "0123456789ab");
  }
  const std::string many = R"({"Name":"/web","x":")" + std::string((1 << 20) - 40, 'x') + "\"}";
  CHECK(name(many) == "web");

  tree.remove(file);
  REQUIRE(::mkfifo((tree / file).c_str(), 0600) == 0);
  CHECK(service(tree, "/docker/" + kId).name == "0123456789ab");
  tree.remove(file);
  tree.link(file, "/dev/zero");
  CHECK(service(tree, "/docker/" + kId).name == "0123456789ab");
  tree.link(file, file);
  CHECK(service(tree, "/docker/" + kId).name == "0123456789ab");
  tree.remove(file);
  tree.directory(file);
  CHECK(service(tree, "/docker/" + kId).name == "0123456789ab");

  // An id that would lead out of the directory is never looked up.
  tree.file("var/lib/docker/config.v2.json", docker_config("/web"));
  tree.file("run/containerd/io.containerd.runtime.v2.task/config.json", bundle(""));
  for (const char* id : {"..", ".", "", "a/../.."}) {
    CHECK_FALSE(find_container(tree.root(), {id, "/docker/x", "", "", {}, {}}));
    CHECK_FALSE(find_container(tree.root(), {id, "/docker/x", "..", "", {}, {}}));
  }
}

TEST_CASE("bundles and lists that are broken answer nothing") {
  const TempTree tree;
  for (const char* bad :
       {"", "null", "[]", R"({"annotations":[]})", R"({"mounts":{}})", R"({"mounts":[1,{"source":[]}]})",
        R"({"annotations":{"nerdctl/name":{}}})", R"({"mounts":[{"source":"/hostname"}]})"}) {
    CAPTURE(bad);
    tree.file(kTasks + "default/" + kId + "/config.json", bad);
    CHECK(service(tree, "/default/" + kId).name == "0123456789ab");
  }
  tree.directory("var/lib/containers/storage/overlay-containers/" + kId);
  for (const char* bad : {"", "{}", "[1,null]", R"([{"id":7}])", R"([{"names":["a"]}])"}) {
    tree.file("var/lib/containers/storage/overlay-containers/containers.json", bad);
    CHECK(service(tree, "/libpod_parent/libpod-" + kId).name == "0123456789ab");
  }
  for (const std::string names : {"{}", "[]", "[7]", "\"a\"", "[\"\"]", "[\"a/b\"]"}) {
    tree.file("var/lib/containers/storage/overlay-containers/containers.json",
              R"([{"id":")" + kId + R"(","names":)" + names + "}]");
    CHECK(service(tree, "/libpod_parent/libpod-" + kId).name == "0123456789ab");
  }
  tree.file("etc/docker/daemon.json", R"({"data-root":"relative"})");
  tree.file("etc/containers/storage.conf", "graphroot\ngraphroot =\ngraphroot = \"\n");
  tree.file("etc/containerd/config.toml", std::string("\0=\n", 3));
  CHECK(service(tree, "/docker/" + kOther).name == "f00dfeedf00d");
}

TEST_CASE("a container that nothing can be said about yet is asked for again, ever less often") {
  int asked = 0;
  ContainerNames names([&](const ContainerQuery& query) -> std::optional<ContainerFacts> {
    if (++asked < 4) return std::nullopt;
    return ContainerFacts{.engine = "docker", .name = "name of " + query.id, .pod = {}};
  });
  const auto look_up = [&] { return names.look_up({"a", "/docker/a", "", "", {}, {}}); };
  for (int i = 1; i < 8; ++i) CHECK_FALSE(look_up());  // asks at 1, 2 and 4
  CHECK(asked == 3);
  CHECK(look_up()->name == "name of a");
  CHECK(look_up()->name == "name of a");
  CHECK(asked == 4);
}

TEST_CASE("a container is looked up once, and of very many the oldest are forgotten") {
  int asked = 0;
  ContainerNames names(
      [&](const ContainerQuery& query) -> std::optional<ContainerFacts> {
        ++asked;
        if (query.id == "unknown") return std::nullopt;
        return ContainerFacts{.engine = "docker", .name = "name of " + query.id, .pod = {}};
      },
      3);
  const auto look_up = [&](const std::string& id) { return names.look_up({id, "/docker/" + id, "", "", {}, {}}); };
  CHECK(look_up("a")->name == "name of a");
  CHECK(look_up("a")->name == "name of a");
  CHECK(asked == 1);
  CHECK_FALSE(look_up("unknown"));
  CHECK_FALSE(look_up("unknown"));
  CHECK(asked == 3);
  CHECK(look_up("b")->name == "name of b");
  CHECK(look_up("a")->name == "name of a");
  CHECK(asked == 4);
  CHECK(look_up("c")->name == "name of c");  // "a" is forgotten
  CHECK(asked == 5);
  CHECK(look_up("b")->name == "name of b");
  CHECK(asked == 5);
  CHECK(look_up("a")->name == "name of a");
  CHECK(asked == 6);
}

TEST_CASE("a directory whose cgroups are no containers is given up") {
  int asked = 0;
  ContainerNames names([&](const ContainerQuery& query) -> std::optional<ContainerFacts> {
    ++asked;
    if (query.id != "redis") return std::nullopt;
    return ContainerFacts{.engine = "containerd", .name = {}, .pod = {}};
  });
  const auto look_up = [&](const std::string& directory, const std::string& id) {
    return names.look_up({id, "/" + directory + "/" + id, directory, "", {}, {}}).has_value();
  };
  for (int i = 1; i < ContainerNames::kMostInVain; ++i) CHECK_FALSE(look_up("a", std::to_string(i)));
  CHECK(look_up("a", "redis"));
  for (int i = 0; i < 10 * ContainerNames::kMostInVain; ++i) CHECK_FALSE(look_up("a", "x" + std::to_string(i)));
  CHECK(asked == 2 * ContainerNames::kMostInVain);
  CHECK(look_up("b", "redis"));
  CHECK(look_up("b", "redis"));
  CHECK(asked == 2 * ContainerNames::kMostInVain + 1);
  CHECK(look_up("a", "redis"));  // known
}
