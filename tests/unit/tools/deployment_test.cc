// The deployment file: where the admin token of a command comes from.
#include "tools/meridian/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace meridian::cli {
namespace {

using testing::HasSubstr;

class DeploymentFile : public testing::Test {
 protected:
  DeploymentFile() {
    std::filesystem::create_directories(folder_);
    write("shared", "token-of-all-regions");
    write("own", "token-of-one-region");
    write("flag", "token-of-the-command");
  }

  std::string write(const std::string& name, const std::string& text) {
    std::string path = folder_ + name;
    std::ofstream(path) << text;
    return path;
  }

  // Two regions; `top` and `first` are further lines of the file and of its first region.
  Deployment load(const std::string& top, const std::string& first,
                  std::optional<std::string> flag = {}) {
    auto path = write("deployment.yaml",
                      top + "\nregions:\n  - {name: a, table: 'h:1', admin: 'h:2', "
                            "replicator_admin: 'h:3', worker_admins: ['h:4']" + first +
                            "}\n  - {name: b, table: 'h:5', admin: 'h:6'}\n");
    return load_deployment({.file = path, .admin_token_file = std::move(flag)});
  }

  const std::string folder_ = testing::TempDir() + "deployment/";
};

TEST_F(DeploymentFile, NamesNoTokenUnlessToldTo) {
  auto deployment = load("", "");
  EXPECT_EQ(deployment.admin_token, "");
  EXPECT_EQ(deployment.region("a").admin.token, "");
  EXPECT_EQ(deployment.region("a").admin.address, "h:2");
}

TEST_F(DeploymentFile, NamesTheTokenOfAllOrOfARegionFromItsOwnFolder) {
  auto deployment = load("admin_token_file: shared", ", admin_token_file: own");
  EXPECT_EQ(deployment.admin_token, "token-of-all-regions");
  EXPECT_EQ(deployment.region("a").admin.token, "token-of-one-region");
  ASSERT_EQ(deployment.region("a").replicators.size(), 2u);
  for (const auto& worker : deployment.region("a").replicators)
    EXPECT_EQ(worker.token, "token-of-one-region");
  EXPECT_EQ(deployment.region("b").admin.token, "token-of-all-regions");
}

TEST_F(DeploymentFile, YieldsToTheCommandLine) {
  auto deployment =
      load("admin_token_file: nowhere", ", admin_token_file: own", folder_ + "flag");
  for (const auto& region : deployment.regions)
    EXPECT_EQ(region.admin.token, "token-of-the-command");
}

TEST_F(DeploymentFile, WithATokenThatCannotBeReadIsAWrongUsage) {
  try {
    load("admin_token_file: nowhere", "");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), HasSubstr("deployment/nowhere cannot be read"));
  }
}

}  // namespace
}  // namespace meridian::cli
