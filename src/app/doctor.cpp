#include "app/command.hpp"
namespace twtrace::app {
base::Result<int> run_doctor(const Options&) { return kExitOk; }
base::Result<int> run_demo(const Options&) { return kExitOk; }
}  // namespace twtrace::app
