#include "curate/pii_numbers.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.h"

namespace cupel::curate {
namespace {

int value_of(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

bool is_date(int year, int month, int day) {
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1900 || year > 2099 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

/// GB/T 2260: the first two digits.
bool is_cn_province(int code) {
  constexpr std::array kLast{0, 15, 23, 37, 46, 54, 65, 71, 83, 0};
  const int first = code / 10 * 10 + (code / 10 == 5 ? 0 : 1);
  return code >= first && code <= kLast[static_cast<std::size_t>(code / 10)];
}

/// A network's cards begin with first..last and have least..most digits.
struct CardRange {
  int digits, first, last;
  std::size_t least, most;
};
constexpr CardRange kCardRanges[] = {
    {1, 4, 4, 13, 19},        // Visa: 13, 16, 19
    {2, 51, 55, 16, 16},      // Mastercard
    {4, 2221, 2720, 16, 16},  // Mastercard
    {2, 34, 34, 15, 15},      // American Express
    {2, 37, 37, 15, 15},      // American Express
    {4, 6011, 6011, 16, 19},  // Discover
    {3, 644, 659, 16, 19},    // Discover
    {3, 300, 305, 14, 19},    // Diners Club
    {2, 36, 36, 14, 19},      // Diners Club
    {2, 38, 39, 16, 19},      // Diners Club
    {4, 3528, 3589, 16, 19},  // JCB
    {2, 62, 62, 16, 19},      // UnionPay
};

}  // namespace

bool has_luhn_digit(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (auto c = digits.rbegin(); c != digits.rend(); ++c, twice = !twice) {
    const int value = (*c - '0') * (twice ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return !digits.empty() && sum % 10 == 0;
}

bool has_card_prefix(std::string_view digits) {
  return std::any_of(std::begin(kCardRanges), std::end(kCardRanges), [&](const CardRange& range) {
    if (digits.size() < range.least || digits.size() > range.most) return false;
    if (range.first == 4 && (digits.size() - 13) % 3 != 0) return false;
    const int prefix = value_of(digits.substr(0, static_cast<std::size_t>(range.digits)));
    return prefix >= range.first && prefix <= range.last;
  });
}

bool is_cn_resident_id(std::string_view id) {
  constexpr std::array kWeights{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr std::string_view kCheck = "10X98765432";
  if (id.size() != 18 || !std::all_of(id.begin(), id.end() - 1, is_digit)) return false;
  if (!is_cn_province(value_of(id.substr(0, 2)))) return false;
  if (!is_date(value_of(id.substr(6, 4)), value_of(id.substr(10, 2)), value_of(id.substr(12, 2))))
    return false;
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) sum += kWeights[i] * (id[i] - '0');
  const char check = kCheck[static_cast<std::size_t>(sum % 11)];
  return id[17] == check || (id[17] == 'x' && check == 'X');
}

bool is_cn_mobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

bool is_us_ssn(std::string_view digits) {
  if (digits.size() != 9) return false;
  const int area = value_of(digits.substr(0, 3));
  return area != 0 && area != 666 && area < 900 && value_of(digits.substr(3, 2)) != 0 &&
         value_of(digits.substr(5)) != 0;
}

}  // namespace cupel::curate
