#include "region-node/model/number.h"

#include <gtest/gtest.h>

#include <tuple>

#include "tests/unit/model/random_values.h"

namespace meridian::model {
namespace {

const std::string kNines38(38, '9');

TEST(Number, CanonicalText) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"-0", "0"},
      {"+0", "0"},
      {"0.000", "0"},
      {"0e126", "0"},
      {"0.0e-999", "0"},
      {"1", "1"},
      {"+1", "1"},
      {"-1", "-1"},
      {"007", "7"},
      {"1.0", "1"},
      {"1.10", "1.1"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-.5", "-0.5"},
      {"1e3", "1000"},
      {"1E3", "1000"},
      {"1e+3", "1000"},
      {"1e-3", "0.001"},
      {"12.34e1", "123.4"},
      {"12.34e-1", "1.234"},
      {"12.34e-2", "0.1234"},
      {"12.34e2", "1234"},
      {"1200", "1200"},
      {"100.001", "100.001"},
      {"0.1e126", nullptr},
      {"-17.4E37", nullptr},
      {"1e00000000000000000003", "1000"},
      {"0e99999999999999999999", "0"},
      {"10", "10"},
      {"-10", "-10"},
      {"0001.23", "1.23"},
      {"-0.0010", "-0.001"},
  };
  for (const auto& [text, canonical] : cases) {
    auto number = canonical_number(text);
    ASSERT_TRUE(number.ok()) << text;
    if (canonical != nullptr) {
      EXPECT_EQ(*number, canonical) << text;
    }
    // Canonical text is its own canonical text.
    EXPECT_EQ(canonical_number(*number).value(), *number) << text;
  }
  EXPECT_EQ(canonical_number("0.1e126").value(), "1" + std::string(125, '0'));
}

TEST(Number, Limits) {
  const std::string overflow =
      "Number overflow. Attempting to store a number with magnitude larger than supported range";
  const std::string underflow =
      "Number underflow. Attempting to store a number with magnitude smaller than supported range";
  const std::string precise = "Attempting to store more than 38 significant digits in a Number";
  const std::string numeric = "The parameter cannot be converted to a numeric value";
  for (const char* fine : {"1e125", "9.99999999e125", "1e-130", "-1e125", "-1e-130",
                           "31415926535897932384626433832795028841e30"}) {
    EXPECT_TRUE(canonical_number(fine).ok()) << fine;
  }
  EXPECT_TRUE(canonical_number(kNines38).ok());
  EXPECT_TRUE(canonical_number(kNines38 + "e87").ok());
  EXPECT_TRUE(canonical_number("0." + kNines38).ok());
  EXPECT_TRUE(canonical_number("1." + std::string(37, '1') + "e-130").ok());
  EXPECT_TRUE(canonical_number(kNines38 + "0000").ok());
  for (const char* text : {"1e126", "-1e126", "11e125", "1e999999999999999999999"})
    EXPECT_EQ(canonical_number(text).error(), overflow) << text;
  for (const char* text : {"1e-131", "0.9e-130", "-1e-131", "1e-999999999999999999999"})
    EXPECT_EQ(canonical_number(text).error(), underflow) << text;
  EXPECT_EQ(canonical_number(kNines38 + "9").error(), precise);
  EXPECT_EQ(canonical_number("0." + kNines38 + "1").error(), precise);
  EXPECT_EQ(canonical_number("1" + std::string(40, '0') + "1").error(), precise);
  EXPECT_EQ(canonical_number("").error(), numeric);
  for (const char* text : {"abc",   "-",   "+",     ".",   "e5",       "1e",        "1e+",  "1.2.3",
                           "1e5e5", " 1",  "1 ",    "NaN", "Infinity", "-Infinity", "0x10", "1_000",
                           "--1",   "+-1", "1e5.5", "1,5", "-.",       "\xc2\xb2"}) {
    EXPECT_EQ(canonical_number(text).error(), numeric + ": " + text);
  }
}

TEST(Number, LongTextsAreReadInLinearTimeAndMemory) {
  std::string text = "0." + std::string(1'000'000, '0') + "1e1000001";
  EXPECT_EQ(canonical_number(text).value(), "1");
  EXPECT_EQ(canonical_number(std::string(1'000'000, '0') + "7").value(), "7");
}

TEST(Number, Addition) {
  const std::tuple<const char*, const char*, const char*, const char*> cases[] = {
      // a, b, a + b, a - b
      {"1", "2", "3", "-1"},
      {"0", "0", "0", "0"},
      {"0", "5", "5", "-5"},
      {"-1", "1", "0", "-2"},
      {"0.1", "0.2", "0.3", "-0.1"},
      {"999", "1", "1000", "998"},
      {"1000", "0.001", "1000.001", "999.999"},
      {"-5", "-7", "-12", "2"},
      {"5", "-7", "-2", "12"},
      {"1", "10000000000000000000000", "10000000000000000000001", "-9999999999999999999999"},
      {"0.5", "0.5", "1", "0"},
      {"100", "1", "101", "99"},
  };
  for (const auto& [a, b, sum, difference] : cases) {
    EXPECT_EQ(add_numbers(a, b).value(), sum) << a << " " << b;
    EXPECT_EQ(add_numbers(b, a).value(), sum) << a << " " << b;
    EXPECT_EQ(subtract_numbers(a, b).value(), difference) << a << " " << b;
  }
}

TEST(Number, AdditionLimits) {
  const std::string overflow =
      "Number overflow. Attempting to store a number with magnitude larger than supported range";
  std::string most = canonical_number("9e125").value();
  EXPECT_EQ(add_numbers(most, most).error(), overflow);
  EXPECT_EQ(subtract_numbers(most, "-" + most).error(), overflow);
  EXPECT_EQ(subtract_numbers(most, most).value(), "0");
  EXPECT_EQ(add_numbers(most, canonical_number("9e124").value()).value(),
            canonical_number("9.9e125").value());
  std::string big = canonical_number("1e50").value();
  EXPECT_EQ(add_numbers(big, "1").error(), overflow);
  EXPECT_EQ(subtract_numbers(big, "1").error(), overflow);
  std::string least = canonical_number("1e-130").value();
  EXPECT_EQ(add_numbers(least, least).value(), canonical_number("2e-130").value());
  EXPECT_EQ(subtract_numbers(canonical_number("1.1e-130").value(), least).error(),
            "Number underflow. Attempting to store a number with magnitude smaller than supported "
            "range");
  EXPECT_EQ(add_numbers(kNines38, "1").value(), "1" + std::string(38, '0'));
}

TEST(Number, AdditionAgreesWithMachineArithmetic) {
  Rng rng(11);
  for (int i = 0; i < 20'000; ++i) {
    std::int64_t a = rng.between(-1'000'000'000'000, 1'000'000'000'000);
    std::int64_t b = rng.between(-1'000'000, 1'000'000);
    EXPECT_EQ(add_numbers(std::to_string(a), std::to_string(b)).value(), std::to_string(a + b));
    EXPECT_EQ(subtract_numbers(std::to_string(a), std::to_string(b)).value(),
              std::to_string(a - b));
  }
}

TEST(Number, SubtractionUndoesAddition) {
  Rng rng(12);
  int exact = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string a = random_number(rng);
    std::string b = random_number(rng);
    auto sum = add_numbers(a, b);
    if (!sum.ok()) continue;
    ++exact;
    EXPECT_EQ(subtract_numbers(*sum, b).value(), a) << a << " " << b;
    EXPECT_EQ(canonical_number(*sum).value(), *sum);
  }
  EXPECT_GT(exact, 1000);
}

TEST(Number, Order) {
  const char* ascending[] = {"-1200", "-123",  "-12.5",    "-12", "-1",  "-0.5", "-0.05", "0",
                             "0.001", "0.01",  "0.010001", "0.1", "0.9", "1",    "1.5",   "2",
                             "10",    "10.01", "11",       "99",  "100", "1000"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j)
      EXPECT_EQ(compare_numbers(ascending[i], ascending[j]), i <=> j)
          << ascending[i] << " " << ascending[j];
  }
}

TEST(Number, OrderAgreesWithSubtraction) {
  Rng rng(13);
  for (int i = 0; i < 20'000; ++i) {
    std::string a = random_number(rng);
    std::string b = rng.percent(10) ? a : random_number(rng);
    auto difference = subtract_numbers(a, b);
    if (!difference.ok()) continue;
    auto expected = *difference == "0"             ? std::strong_ordering::equal
                    : difference->starts_with('-') ? std::strong_ordering::less
                                                   : std::strong_ordering::greater;
    EXPECT_EQ(compare_numbers(a, b), expected) << a << " " << b;
  }
}

TEST(Number, OrderedEncodingKeepsOrderAndComesBack) {
  Rng rng(14);
  for (int i = 0; i < 20'000; ++i) {
    std::string a = random_number(rng);
    std::string b = rng.percent(10) ? a : random_number(rng);
    Bytes encoded_a;
    Bytes encoded_b;
    encode_number_ordered(encoded_a, a);
    encode_number_ordered(encoded_b, b);
    EXPECT_EQ(encoded_a <=> encoded_b, compare_numbers(a, b)) << a << " " << b;
    // Self-delimiting: what follows stays.
    Bytes followed = encoded_a + "rest";
    BytesView in = followed;
    EXPECT_EQ(decode_number_ordered(in), a);
    EXPECT_EQ(in, "rest");
  }
}

TEST(Number, OrderedEncodingIsPinned) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "02"},
      {"1",
       "0382"
       "0b00"},
      {"10",
       "0383"
       "0b00"},
      {"12",
       "0383"
       "0d00"},
      {"123",
       "0384"
       "0d1f00"},
      {"0.5",
       "0381"
       "3300"},
      {"-1",
       "017d"
       "f4ff"},
      {"-123",
       "017b"
       "f2e0ff"},
  };
  for (const auto& [number, hex] : cases) {
    Bytes encoded;
    encode_number_ordered(encoded, number);
    EXPECT_EQ(to_hex(encoded), hex) << number;
  }
}

TEST(Number, MalformedEncodingsAreRefused) {
  for (const char* hex :
       {"", "00", "04", "03", "0382", "03820b", "038200", "03820100", "0382010b00", "03820b0100",
        "0382ff00", "017df4", "017dff", "0382660000"}) {
    Bytes bytes = *from_hex(hex);
    BytesView in = bytes;
    EXPECT_FALSE(decode_number_ordered(in).has_value()) << hex;
    EXPECT_EQ(in, bytes) << hex;
  }
  Bytes too_long = *from_hex("0382") + std::string(20, '\x12') + '\0';
  BytesView in = too_long;
  EXPECT_FALSE(decode_number_ordered(in).has_value());
}

TEST(Number, RandomBytesDecodeToWhatEncodesAlike) {
  Rng rng(15);
  for (int i = 0; i < 50'000; ++i) {
    Bytes bytes;
    for (std::uint64_t j = 0, size = rng.below(8); j < size; ++j)
      bytes.push_back(static_cast<char>(rng.percent(50) ? rng.below(4) : rng.below(256)));
    BytesView in = bytes;
    auto number = decode_number_ordered(in);
    if (!number) continue;
    Bytes again;
    encode_number_ordered(again, *number);
    EXPECT_EQ(again + std::string(in), bytes);
    EXPECT_EQ(canonical_number(*number).value(), *number);
  }
}

}  // namespace
}  // namespace meridian::model
