#include "region-node/model/number.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/check.h"

namespace meridian::model {
namespace {

constexpr int kDigitsMax = 38;
constexpr int kExponentMax = 125;
constexpr int kExponentMin = -130;
// Lowest power of ten that a digit can stand at.
constexpr int kPowerMin = kExponentMin - (kDigitsMax - 1);

constexpr const char* kNotNumeric = "The parameter cannot be converted to a numeric value";
constexpr const char* kOverflow =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
constexpr const char* kUnderflow =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
constexpr const char* kTooPrecise =
    "Attempting to store more than 38 significant digits in a Number";

// d0.d1d2... * 10^exponent, without leading and trailing zeros; no digits means zero.
struct Decimal {
  bool negative = false;
  int exponent = 0;
  int count = 0;
  std::array<std::uint8_t, kDigitsMax> digits{};
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
std::uint8_t digit_of(char c) { return static_cast<std::uint8_t>(c - '0'); }

// Whole numbers in the form that DynamoDB answers with; by far the most numbers are.
bool is_plain_integer(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty() || text.size() > kDigitsMax || text.front() == '0') return false;
  return std::all_of(text.begin(), text.end(), is_digit);
}

std::string to_text(const Decimal& number) {
  if (number.count == 0) return "0";
  std::string out;
  if (number.negative) out.push_back('-');
  if (number.exponent < 0) {
    out.append("0.");
    out.append(static_cast<std::size_t>(-number.exponent - 1), '0');
  }
  for (int i = 0; i < number.count; ++i) {
    if (i > 0 && i == number.exponent + 1) out.push_back('.');
    out.push_back(static_cast<char>('0' + number.digits[static_cast<std::size_t>(i)]));
  }
  if (number.exponent >= number.count)
    out.append(static_cast<std::size_t>(number.exponent - number.count + 1), '0');
  return out;
}

// REQUIRES: canonical text.
Decimal from_text(std::string_view text) {
  Decimal number;
  if (text.front() == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  std::size_t point = std::min(text.find('.'), text.size());
  int power = static_cast<int>(point) - 1;
  int zeros = 0;  // seen since the last digit that is not zero
  for (char c : text) {
    if (c == '.') continue;
    if (c == '0') {
      if (number.count > 0) ++zeros;
    } else {
      if (number.count == 0) number.exponent = power;
      MERIDIAN_CHECK(number.count + zeros < kDigitsMax);
      number.count += zeros;
      zeros = 0;
      number.digits[static_cast<std::size_t>(number.count++)] = digit_of(c);
    }
    --power;
  }
  if (number.count == 0) number.negative = false;
  return number;
}

// "e+5" at the end of a number; far exponents are clamped, they are out of range anyway.
std::optional<std::int64_t> take_exponent(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  constexpr std::int64_t kClamp = std::int64_t{1} << 40;
  std::int64_t value = 0;
  for (char c : text) value = std::min(value * 10 + digit_of(c), kClamp);
  return negative ? -value : value;
}

struct Mantissa {
  std::string_view whole;
  std::string_view fraction;
};

std::optional<Mantissa> split_mantissa(std::string_view text) {
  std::size_t point = text.find('.');
  Mantissa out;
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  if (out.whole.empty() && out.fraction.empty()) return std::nullopt;
  if (!std::all_of(out.whole.begin(), out.whole.end(), is_digit)) return std::nullopt;
  if (!std::all_of(out.fraction.begin(), out.fraction.end(), is_digit)) return std::nullopt;
  return out;
}

Result<std::string, std::string> build(bool negative, const Mantissa& mantissa,
                                       std::int64_t exponent) {
  Decimal number;
  number.negative = negative;
  std::int64_t power = static_cast<std::int64_t>(mantissa.whole.size()) - 1 + exponent;
  std::int64_t first = 0;
  std::int64_t count = 0;  // digits without leading and trailing zeros, as far as seen
  std::int64_t zeros = 0;
  for (std::string_view part : {mantissa.whole, mantissa.fraction}) {
    for (char c : part) {
      if (c == '0') {
        if (count > 0) ++zeros;
      } else {
        if (count == 0) first = power;
        count += zeros;
        zeros = 0;
        if (count < kDigitsMax) number.digits[static_cast<std::size_t>(count)] = digit_of(c);
        ++count;
      }
      --power;
    }
  }
  if (count == 0) return std::string("0");
  if (first > kExponentMax) return Err(std::string(kOverflow));
  if (first < kExponentMin) return Err(std::string(kUnderflow));
  if (count > kDigitsMax) return Err(std::string(kTooPrecise));
  number.count = static_cast<int>(count);
  number.exponent = static_cast<int>(first);
  return to_text(number);
}

// Digits of a sum or difference, one per power of ten from kPowerMin up.
using Columns = std::array<int, kExponentMax + 2 - kPowerMin>;

void accumulate(Columns& columns, const Decimal& number, int sign) {
  for (int i = 0; i < number.count; ++i) {
    auto column = static_cast<std::size_t>(number.exponent - i - kPowerMin);
    columns[column] += sign * number.digits[static_cast<std::size_t>(i)];
  }
}

// Makes every column a digit of the magnitude.  Answers whether the value is negative.
bool normalize(Columns& columns) {
  bool negative = false;
  for (auto at = columns.rbegin(); at != columns.rend(); ++at) {
    if (*at == 0) continue;
    negative = *at < 0;
    break;
  }
  int carry = 0;
  for (int& column : columns) {
    int value = (negative ? -column : column) + carry;
    carry = value >= 10 ? 1 : value < 0 ? -1 : 0;
    column = value - carry * 10;
  }
  return negative;
}

Result<std::string, std::string> from_columns(Columns& columns) {
  Decimal number;
  number.negative = normalize(columns);
  int top = static_cast<int>(columns.size()) - 1;
  while (top >= 0 && columns[static_cast<std::size_t>(top)] == 0) --top;
  if (top < 0) return std::string("0");
  int bottom = 0;
  while (columns[static_cast<std::size_t>(bottom)] == 0) ++bottom;
  number.exponent = top + kPowerMin;
  number.count = top - bottom + 1;
  if (number.exponent > kExponentMax) return Err(std::string(kOverflow));
  if (number.exponent < kExponentMin) return Err(std::string(kUnderflow));
  // A result that 38 digits cannot hold is an overflow too, in DynamoDB's words.
  if (number.count > kDigitsMax) return Err(std::string(kOverflow));
  for (int i = 0; i < number.count; ++i) {
    number.digits[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(columns[static_cast<std::size_t>(top - i)]);
  }
  return to_text(number);
}

Result<std::string, std::string> combine(std::string_view a, std::string_view b, int sign_of_b) {
  Columns columns{};
  Decimal left = from_text(a);
  Decimal right = from_text(b);
  accumulate(columns, left, left.negative ? -1 : 1);
  accumulate(columns, right, right.negative ? -sign_of_b : sign_of_b);
  return from_columns(columns);
}

// Both not negative, canonical.
std::strong_ordering compare_magnitudes(std::string_view a, std::string_view b) {
  std::size_t whole_a = std::min(a.find('.'), a.size());
  std::size_t whole_b = std::min(b.find('.'), b.size());
  if (whole_a != whole_b) return whole_a <=> whole_b;
  return a <=> b;  // points stand under each other, so digits compare as text
}

// Ordered encoding: kNegative, kZero or kPositive; then, unless zero, the exponent as one byte, the
// digits two to a byte plus one, and 0.  For negative numbers everything after the first byte is
// complemented.
constexpr std::uint8_t kNegative = 1;
constexpr std::uint8_t kZero = 2;
constexpr std::uint8_t kPositive = 3;

// Digits up to and with the terminator; empty when malformed or not the shortest form.
std::optional<std::string> take_ordered_digits(BytesView& in, Decimal& number,
                                               std::uint8_t complement) {
  while (true) {
    if (in.empty()) return std::nullopt;
    auto byte = static_cast<std::uint8_t>(static_cast<std::uint8_t>(in.front()) ^ complement);
    in.remove_prefix(1);
    if (byte == 0) break;
    int pair = byte - 1;
    if (pair > 99 || number.count + 2 > kDigitsMax) return std::nullopt;
    number.digits[static_cast<std::size_t>(number.count++)] = static_cast<std::uint8_t>(pair / 10);
    number.digits[static_cast<std::size_t>(number.count++)] = static_cast<std::uint8_t>(pair % 10);
  }
  if (number.count == 0 || number.digits[0] == 0) return std::nullopt;
  if (number.digits[static_cast<std::size_t>(number.count - 1)] == 0) --number.count;
  if (number.digits[static_cast<std::size_t>(number.count - 1)] == 0) return std::nullopt;
  return to_text(number);
}

}  // namespace

Result<std::string, std::string> canonical_number(std::string_view text) {
  if (is_plain_integer(text)) return std::string(text);
  if (text.empty()) return Err(std::string(kNotNumeric));
  std::string_view rest = text;
  bool negative = rest.front() == '-';
  if (negative || rest.front() == '+') rest.remove_prefix(1);
  std::int64_t exponent = 0;
  bool numeric = true;
  if (std::size_t mark = rest.find_first_of("eE"); mark != std::string_view::npos) {
    auto parsed = take_exponent(rest.substr(mark + 1));
    numeric = parsed.has_value();
    exponent = parsed.value_or(0);
    rest = rest.substr(0, mark);
  }
  auto mantissa = split_mantissa(rest);
  if (!numeric || !mantissa) return Err(std::string(kNotNumeric) + ": " + std::string(text));
  return build(negative, *mantissa, exponent);
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  bool negative_a = a.starts_with('-');
  bool negative_b = b.starts_with('-');
  if (negative_a != negative_b)
    return negative_a ? std::strong_ordering::less : std::strong_ordering::greater;
  if (negative_a) return compare_magnitudes(b.substr(1), a.substr(1));
  return compare_magnitudes(a, b);
}

Result<std::string, std::string> add_numbers(std::string_view a, std::string_view b) {
  return combine(a, b, 1);
}

Result<std::string, std::string> subtract_numbers(std::string_view a, std::string_view b) {
  return combine(a, b, -1);
}

void encode_number_ordered(Bytes& out, std::string_view canonical) {
  Decimal number = from_text(canonical);
  if (number.count == 0) {
    out.push_back(static_cast<char>(kZero));
    return;
  }
  out.push_back(static_cast<char>(number.negative ? kNegative : kPositive));
  int complement = number.negative ? 0xff : 0;
  out.push_back(static_cast<char>((number.exponent - kExponentMin) ^ complement));
  for (int i = 0; i < number.count; i += 2) {
    int high = number.digits[static_cast<std::size_t>(i)];
    int low = i + 1 < number.count ? number.digits[static_cast<std::size_t>(i + 1)] : 0;
    out.push_back(static_cast<char>((high * 10 + low + 1) ^ complement));
  }
  out.push_back(static_cast<char>(complement));
}

std::optional<std::string> decode_number_ordered(BytesView& in) {
  BytesView rest = in;
  if (rest.empty()) return std::nullopt;
  auto kind = static_cast<std::uint8_t>(rest.front());
  rest.remove_prefix(1);
  if (kind == kZero) {
    in = rest;
    return "0";
  }
  if ((kind != kNegative && kind != kPositive) || rest.empty()) return std::nullopt;
  Decimal number;
  number.negative = kind == kNegative;
  auto complement = static_cast<std::uint8_t>(number.negative ? 0xff : 0);
  number.exponent =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(rest.front()) ^ complement) +
      kExponentMin;
  rest.remove_prefix(1);
  auto text = take_ordered_digits(rest, number, complement);
  if (text) in = rest;
  return text;
}

}  // namespace meridian::model
