// A folder of its own for a test, removed at the end.
#pragma once

#include <stdlib.h>  // NOLINT: mkdtemp is POSIX

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "signfold/base/error.h"

namespace signfold {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "signfold-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail_system(errno, "cannot make {}", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace signfold
