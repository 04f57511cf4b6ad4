#include "common/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace meridian {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Config : public testing::Test {
 protected:
  void TearDown() override {
    for (const auto& name : variables_) unsetenv(name.c_str());
    std::filesystem::remove(path_);
  }
  void environment(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }
  ConfigSource source(const std::string& yaml, std::vector<std::string> flags = {}) {
    std::ofstream(path_) << yaml;
    flags.insert(flags.begin(), {"program", "--config", path_});
    return from(flags);
  }
  static ConfigSource from(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv;
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return ConfigSource(static_cast<int>(argv.size()), argv.data());
  }
  static std::string problems_of(ConfigSource& config) {
    try {
      config.finish();
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "";
  }

  std::string path_ = testing::TempDir() + "config_test." + std::to_string(getpid()) + ".yaml";
  std::vector<std::string> variables_;
};

TEST_F(Config, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  environment("MERIDIAN_B", "environment");
  environment("MERIDIAN_A", "environment");
  auto config = source("a: file\nb: file\nc: file\n", {"--a", "flag"});
  EXPECT_EQ(config.text("a", "default"), "flag");
  EXPECT_EQ(config.text("b", "default"), "environment");
  EXPECT_EQ(config.text("c", "default"), "file");
  EXPECT_EQ(config.text("d", "default"), "default");
  EXPECT_EQ(problems_of(config), "");
  EXPECT_THAT(config.describe(),
              ElementsAre("a = flag (flag --a)", "b = environment (environment MERIDIAN_B)",
                          "c = file (file " + path_ + ")", "d = default (default)"));
}

TEST_F(Config, NestedKeysHaveFlagsAndVariables) {
  environment("MERIDIAN_LISTEN_STREAMS", "127.0.0.1:2");
  auto config = source("listen:\n  table: 127.0.0.1:1\n  admin: 127.0.0.1:3\n",
                       {"--listen-admin=127.0.0.1:4"});
  EXPECT_EQ(config.text("listen.table", std::nullopt), "127.0.0.1:1");
  EXPECT_EQ(config.text("listen.streams", std::nullopt), "127.0.0.1:2");
  EXPECT_EQ(config.text("listen.admin", std::nullopt), "127.0.0.1:4");
  EXPECT_EQ(problems_of(config), "");
}

TEST_F(Config, ReportsEveryProblemTogether) {
  auto config = source("shards: many\nsurprise: 1\nlisten: {extra: 2}\ndebug: perhaps\n",
                       {"--wrong", "1", "stray", "--limit=99"});
  config.text("region", std::nullopt);
  config.integer("shards", 4, 1, 64);
  config.integer("limit", 5, 1, 10);
  config.flag("debug", false);
  config.complain("peers name this region itself");
  std::string problems = problems_of(config);
  EXPECT_THAT(problems, HasSubstr("unexpected argument 'stray'"));
  EXPECT_THAT(problems, HasSubstr("region is not set"));
  EXPECT_THAT(problems, HasSubstr("MERIDIAN_REGION"));
  EXPECT_THAT(problems, HasSubstr("shards (file " + path_ + "): 'many' is not a whole number"));
  EXPECT_THAT(problems, HasSubstr("limit (flag --limit): '99' is not a whole number from 1 to 10"));
  EXPECT_THAT(problems, HasSubstr("'perhaps' is neither true nor false"));
  EXPECT_THAT(problems, HasSubstr("peers name this region itself"));
  EXPECT_THAT(problems, HasSubstr("unknown flag --wrong"));
  EXPECT_THAT(problems, HasSubstr("unknown key surprise"));
  EXPECT_THAT(problems, HasSubstr("unknown key listen.extra"));
  EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 8);
}

TEST_F(Config, ReadsIntegersAndFlags) {
  auto config = source("small: -3\nslow: true\nempty:\n", {"--fast", "--loud", "false"});
  EXPECT_EQ(config.integer("small", 0, -5, 5), -3);
  EXPECT_EQ(config.integer("other", 7, 0, 10), 7);
  EXPECT_EQ(config.integer("empty", 8, 0, 10), 8);
  EXPECT_TRUE(config.flag("slow", false));
  EXPECT_TRUE(config.flag("fast", false));
  EXPECT_FALSE(config.flag("loud", true));
  EXPECT_EQ(problems_of(config), "");
}

TEST_F(Config, ReadsPairsFromFileFlagAndEnvironment) {
  auto config = source(
      "peers:\n  - {region: eu-west-1, address: 'a:1'}\n  - region: us-east-1\n"
      "    address: b:2\nnone: []\n",
      {"--other", "x=1,y=2"});
  environment("MERIDIAN_THIRD", "z=3");
  EXPECT_THAT(config.pairs("peers", "region", "address"),
              ElementsAre(Pair("eu-west-1", "a:1"), Pair("us-east-1", "b:2")));
  EXPECT_THAT(config.pairs("other", "region", "address"),
              ElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_THAT(config.pairs("third", "region", "address"), ElementsAre(Pair("z", "3")));
  EXPECT_THAT(config.pairs("none", "region", "address"), IsEmpty());
  EXPECT_THAT(config.pairs("absent", "region", "address"), IsEmpty());
  EXPECT_EQ(problems_of(config), "");
  EXPECT_EQ(config.describe()[0], "peers = eu-west-1=a:1,us-east-1=b:2 (file " + path_ + ")");
}

TEST_F(Config, RefusesPairsOfAnotherShape) {
  auto config = source("peers: 5\nlinks: [{region: a}, {region: a, address: b, port: c}]\n",
                       {"--other", "x,=1,y="});
  EXPECT_THAT(config.pairs("peers", "region", "address"), IsEmpty());
  EXPECT_THAT(config.pairs("links", "region", "address"), IsEmpty());
  EXPECT_THAT(config.pairs("other", "region", "address"), IsEmpty());
  std::string problems = problems_of(config);
  EXPECT_THAT(problems, HasSubstr("peers (file " + path_ + ") must be a list"));
  EXPECT_THAT(problems, HasSubstr("every entry must have exactly region and address"));
  EXPECT_THAT(problems, HasSubstr("'x' is not of the form a=b"));
  EXPECT_EQ(std::count(problems.begin(), problems.end(), '\n'), 5);
}

TEST_F(Config, KnowsWordsGivenAlone) {
  auto config = source("", {"--help", "--check-config", "oops"});
  EXPECT_TRUE(config.given("help"));
  EXPECT_TRUE(config.given("check-config"));
  EXPECT_FALSE(config.given("version"));
  EXPECT_EQ(problems_of(config), "flag --check-config takes no value");
}

TEST_F(Config, SaysWhenTheFileIsMissingOrBroken) {
  EXPECT_THROW(from({"program", "--config", "/nowhere/at/all.yaml"}), ConfigError);
  EXPECT_THROW(from({"program", "--config"}), ConfigError);
  EXPECT_THROW(source("a: [1, 2"), ConfigError);
  EXPECT_THROW(source("just words"), ConfigError);
}

TEST_F(Config, RepeatedFlagsAndMissingValuesAreProblems) {
  auto config = from({"program", "--region", "--shards", "1", "--shards", "2"});
  EXPECT_EQ(config.text("region", "x"), "x");
  EXPECT_EQ(config.integer("shards", 4, 1, 64), 1);
  EXPECT_EQ(problems_of(config), "flag --shards is given twice\nflag --region needs a value");
}

}  // namespace
}  // namespace meridian
