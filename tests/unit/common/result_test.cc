#include "common/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace meridian {
namespace {

enum class Problem { missing, full };

Result<int, Problem> half(int value) {
  if (value % 2 != 0) return Err(Problem::missing);
  return value / 2;
}

Result<void, Problem> check(bool fine) {
  if (!fine) return Err(Problem::full);
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  auto good = half(8);
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_EQ(*good, 4);
  auto bad = half(7);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), Problem::missing);
}

TEST(Result, VoidResultSaysOnlyWhetherItWorked) {
  EXPECT_TRUE(check(true).ok());
  auto bad = check(false);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), Problem::full);
}

TEST(Result, MovesValuesThatCannotBeCopied) {
  Result<std::unique_ptr<int>, Problem> result = std::make_unique<int>(5);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, ValueAndErrorMayBeOfOneType) {
  Result<std::string, std::string> value = std::string("value");
  Result<std::string, std::string> error = Err(std::string("error"));
  EXPECT_EQ(value.value(), "value");
  EXPECT_EQ(error.error(), "error");
  EXPECT_EQ(value->size(), 5u);
}

TEST(ResultDeathTest, ReadingTheOtherSideAborts) {
  auto bad = half(7);
  auto good = half(8);
  EXPECT_DEATH((void)bad.value(), "invariant_broken");
  EXPECT_DEATH((void)good.error(), "invariant_broken");
}

TEST(CheckDeathTest, SaysWhatAndWhere) {
  EXPECT_DEATH(MERIDIAN_CHECK(1 + 1 == 3), "1 \\+ 1 == 3.*result_test.cc");
}

}  // namespace
}  // namespace meridian
