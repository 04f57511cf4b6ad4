// Request: its headers, by name.
#include "common/http/message.h"

#include <gtest/gtest.h>

namespace meridian::http {
namespace {

TEST(Message, AHeaderIsFoundInAnyCase) {
  Request request;
  request.headers = {{"Content-Type", "a"}, {"X-Amz-Target", "b"}, {"x-amz-target", "later"}};
  EXPECT_EQ(request.header("x-amz-TARGET"), "b");
  EXPECT_EQ(request.header("CONTENT-TYPE"), "a");
}

TEST(Message, NoOtherHeaderIsTakenForIt) {
  Request request;
  request.headers = {{"Hos", "a"}, {"Hostx", "b"}, {"HOST ", "c"}, {"@", "d"}};
  EXPECT_EQ(request.header("Host"), "");
  EXPECT_EQ(request.header("`"), "");  // 0x20 apart, and no letters
  EXPECT_EQ(Request{}.header("Host"), "");
}

}  // namespace
}  // namespace meridian::http
