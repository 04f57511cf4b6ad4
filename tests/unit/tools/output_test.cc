#include "tools/meridian/output.h"

#include <gtest/gtest.h>

namespace meridian::cli {
namespace {

TEST(Output, AlignsColumnsAndLeavesNoTrailingBlanks) {
  Table table{{"region", "clock_offset"}, {{"us-east-1", "1.0 ms"}, {"eu", ""}}};
  EXPECT_EQ(as_text(table), "REGION     CLOCK OFFSET\nus-east-1  1.0 ms\neu\n");
}

TEST(Output, ColourAndUmlautsTakeNoExtraRoom) {
  Table table{{"a", "b"}, {{"\x1b[32mok\x1b[0m", "1"}, {"h\xc3\xb6ren", "2"}}};
  EXPECT_EQ(as_text(table), "A      B\n\x1b[32mok\x1b[0m     1\nh\xc3\xb6ren  2\n");
}

TEST(Output, CsvQuotesWhatNeedsIt) {
  Table table{{"a", "b"}, {{"x,y", "say \"hi\""}, {"", "plain"}}};
  EXPECT_EQ(as_csv(table), "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n,plain\n");
}

TEST(Output, NumbersForPeople) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(-1234567), "-1,234,567");
  EXPECT_EQ(readable_ms(1.25), "1.2 ms");
  EXPECT_EQ(readable_ms(450), "450 ms");
  EXPECT_EQ(readable_ms(12'345), "12.3 s");
  EXPECT_EQ(readable_ms(600'000), "10 min");
  EXPECT_EQ(readable_ms(36'000'000), "10.0 h");
  EXPECT_EQ(readable_ms(-3), "-3.0 ms");
}

}  // namespace
}  // namespace meridian::cli
