#include "common/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

namespace meridian {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ConfigSource source(const std::string& flag, const std::string& value) {
  const char* argv[] = {"program", flag.c_str(), value.c_str()};
  return ConfigSource(3, argv);
}

std::string problems_of(ConfigSource& config) {
  try {
    config.finish();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

TEST(Settings, AddressesAreHostAndPort) {
  for (const char* good : {"localhost:0", "10.0.0.1:65535", "[::1]:80", "node.example.com:7000"})
    EXPECT_TRUE(valid_address(good)) << good;
  for (const char* bad : {"", "localhost", ":80", "host:", "host:x", "host:1x", "host:65536",
                          "host:-1", "host: 80"})
    EXPECT_FALSE(valid_address(bad)) << bad;
}

TEST(Settings, LoopbackIsWhatNobodyElseCanReach) {
  for (const char* good : {"127.0.0.1:1", "127.255.0.9:1", "localhost:1", "[::1]:1"})
    EXPECT_TRUE(is_loopback(good)) << good;
  for (const char* bad : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "127.example.com:1", "127.1:1",
                          "localhost.example.com:1", "127.0.0.1", "[::ffff:10.0.0.1]:1"})
    EXPECT_FALSE(is_loopback(bad)) << bad;
}

TEST(Settings, AListenerThatOthersCouldReachIsRefused) {
  for (const char* open : {"0.0.0.0:9080", "192.168.0.4:9080", "[::]:9080"}) {
    auto config = source("--admin", open);
    listen_setting(config, "admin", "127.0.0.1:9080", Reach::loopback);
    EXPECT_THAT(problems_of(config), HasSubstr("admin must be a loopback address")) << open;
  }
  auto config = source("--admin", "127.0.0.1:9081");
  EXPECT_EQ(listen_setting(config, "admin", "127.0.0.1:9080", Reach::loopback), "127.0.0.1:9081");
  EXPECT_THAT(problems_of(config), IsEmpty());
}

TEST(Settings, AListenerForOthersTakesAnOperatorsWord) {
  const char* argv[] = {"program", "--admin", "0.0.0.0:9080", "--listen-beyond-loopback", "true"};
  ConfigSource told(5, argv);
  EXPECT_EQ(reach_setting(told), Reach::anybody);
  EXPECT_EQ(listen_setting(told, "admin", "127.0.0.1:9080", Reach::anybody), "0.0.0.0:9080");
  EXPECT_THAT(problems_of(told), IsEmpty());
  auto untold = source("--admin", "0.0.0.0:9080");
  EXPECT_EQ(reach_setting(untold), Reach::loopback);
}

TEST(Settings, AnAdminAddressBeyondLoopbackWantsATokenOrAnOperatorsWord) {
  auto open = source("--admin", "0.0.0.0:9080");
  auto untold = admin_setting(open, "admin", "127.0.0.1:9080", Reach::loopback);
  EXPECT_EQ(untold.token, "");
  EXPECT_THAT(problems_of(open), AllOf(HasSubstr("admin must be a loopback address"),
                                       HasSubstr("admin_token_file"),
                                       HasSubstr("listen_beyond_loopback")));
  auto told = source("--admin", "0.0.0.0:9080");
  admin_setting(told, "admin", "127.0.0.1:9080", Reach::anybody);
  EXPECT_THAT(problems_of(told), IsEmpty());

  std::string path = testing::TempDir() + "settings-token";
  std::ofstream(path) << "0123456789abcdef\n";
  const char* argv[] = {"program", "--admin", "0.0.0.0:9080", "--admin-token-file", path.c_str()};
  ConfigSource guarded(5, argv);
  auto admin = admin_setting(guarded, "admin", "127.0.0.1:9080", Reach::loopback);
  EXPECT_EQ(admin.address, "0.0.0.0:9080");
  EXPECT_EQ(admin.token, "0123456789abcdef");
  EXPECT_THAT(problems_of(guarded), IsEmpty());
  for (const auto& line : guarded.describe()) EXPECT_THAT(line, Not(HasSubstr(admin.token)));
}

TEST(Settings, ATokenThatCannotBeHadIsTheOneProblem) {
  const char* argv[] = {"program", "--admin", "0.0.0.0:9080", "--admin-token-file", "/nowhere/it"};
  ConfigSource config(5, argv);
  admin_setting(config, "admin", "127.0.0.1:9080", Reach::loopback);
  EXPECT_THAT(problems_of(config), AllOf(HasSubstr("admin_token_file: /nowhere/it cannot be read"),
                                         Not(HasSubstr("loopback"))));
}

TEST(Settings, APeerMayBeAnywhereButNotHere) {
  auto config = source("--peers", "eu-west-1=10.0.0.2:7000");
  auto peers = peers_setting(config, RegionId::of("us-east-1"));
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].second, "10.0.0.2:7000");
  EXPECT_THAT(problems_of(config), IsEmpty());
  auto self = source("--peers", "us-east-1=10.0.0.2:7000");
  peers_setting(self, RegionId::of("us-east-1"));
  EXPECT_THAT(problems_of(self), HasSubstr("must not name this region (us-east-1)"));
}

TEST(Settings, PlainTextBeyondLoopbackTakesAWord) {
  auto check = [](ConfigSource config, const std::string& address) {
    check_plain_text(config, tls_setting(config), "peers.address", address);
    return problems_of(config);
  };
  EXPECT_THAT(check(source("--log-level", "info"), "10.0.0.2:7000"),
              HasSubstr("peers.address leads beyond loopback ('10.0.0.2:7000') in plain text"));
  EXPECT_THAT(check(source("--log-level", "info"), "127.0.0.1:7000"), Not(HasSubstr("plain text")));
  EXPECT_THAT(check(source("--peer-plain-text", "true"), "10.0.0.2:7000"), IsEmpty());
}

TEST(Settings, FilesOfTlsBelongTogether) {
  auto some = source("--tls-certificate", "region.crt");
  EXPECT_TRUE(tls_setting(some).on());
  EXPECT_THAT(problems_of(some), HasSubstr("belong together"));
}

struct Wrong {
  std::string flag;
  std::string value;
  std::function<void(ConfigSource&)> read;
  std::string problem;
};

TEST(Settings, EveryComplaintNamesTheSettingAndTheValue) {
  const Wrong wrongs[] = {
      {"--region", "Not One!", [](ConfigSource& s) { region_setting(s); }, "'Not One!'"},
      {"--node", "nowhere", [](ConfigSource& s) { address_setting(s, "node", "h:1"); },
       "node must be host:port, not 'nowhere'"},
      {"--admin", "nowhere",
       [](ConfigSource& s) { listen_setting(s, "admin", "h:1", Reach::loopback); },
       "admin must be host:port, not 'nowhere'"},
      {"--peers", "eu-west-1=nowhere", [](ConfigSource& s) { peers_setting(s, {}); },
       "peers.address must be host:port, not 'nowhere'"},
      {"--log-level", "shouting", [](ConfigSource& s) { log_level_setting(s); }, "'shouting'"},
  };
  for (const auto& wrong : wrongs) {
    auto config = source(wrong.flag, wrong.value);
    wrong.read(config);
    EXPECT_THAT(problems_of(config), HasSubstr(wrong.problem));
  }
}

}  // namespace
}  // namespace meridian
