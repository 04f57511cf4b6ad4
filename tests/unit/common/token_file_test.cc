// The admin token: which files hold one, and how two are compared.
#include "common/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace meridian {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string file_with(const std::string& content) {
  std::string path = testing::TempDir() + "token";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(TokenFile, HoldsOneLineOfVisibleCharacters) {
  const std::string token = "0123456789abcdef";
  for (const char* end : {"", "\n", "\r\n"}) {
    auto read = read_token(file_with(token + end));
    ASSERT_TRUE(read.ok()) << read.error();
    EXPECT_EQ(*read, token);
  }
  EXPECT_TRUE(read_token(file_with(std::string(kTokenBytesMax, '~') + "\r\n")).ok());
}

TEST(TokenFile, SaysWhatIsWrongButNeverWhatIsInside) {
  for (const std::string& bad :
       {std::string(), std::string("0123456789abcde\n"), std::string(kTokenBytesMax + 1, 'x'),
        std::string(1 << 20, 'x'), std::string("0123456789abcdef 0123"),
        std::string("0123456789abcdef\n0123456789abcdef\n"), std::string("0123456789abcd\xc3\xa9"),
        std::string("0123456789abcdef\0", 17)}) {
    auto read = read_token(file_with(bad));
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.error(), HasSubstr("token must hold one line of 16 to 1024"));
    EXPECT_THAT(read.error(), Not(HasSubstr("abc")));
  }
  auto missing = read_token("/nowhere/token");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error(), HasSubstr("/nowhere/token cannot be read: No such file"));
  auto folder = read_token(testing::TempDir());
  EXPECT_FALSE(folder.ok());
}

TEST(Secrets, AreTheSameWhenEveryByteIs) {
  const std::string secret = "0123456789abcdef";
  EXPECT_TRUE(same_secret(secret, secret));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = '!';
    EXPECT_FALSE(same_secret(secret, other)) << i;
    EXPECT_FALSE(same_secret(secret, secret.substr(0, i))) << i;
  }
  EXPECT_FALSE(same_secret(secret, secret + secret));
  EXPECT_FALSE(same_secret(secret, secret + "0"));
}

TEST(Secrets, NoneIsNobodys) {
  EXPECT_FALSE(same_secret("", ""));
  EXPECT_FALSE(same_secret("", std::string(1, '\0')));
}

}  // namespace
}  // namespace meridian
