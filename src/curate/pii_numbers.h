// Check digits and prefixes of numbers that are issued to people. All take plain ASCII digits.
#pragma once

#include <string_view>

namespace cupel::curate {

/// Luhn's check digit (ISO/IEC 7812-1, annex B).
bool has_luhn_digit(std::string_view digits);

/// Length and prefix of a card network: Visa, Mastercard, American Express, Discover, Diners Club,
/// JCB, UnionPay.
bool has_card_prefix(std::string_view digits);

/// 18 characters, the last perhaps X: region of a province, date from 1900 to 2099, check digit
/// (GB 11643-1999; ISO 7064 mod 11-2).
bool is_cn_resident_id(std::string_view id);

bool is_cn_mobile(std::string_view digits);

/// Nine digits: not of the areas 000, 666 and 9xx, group 00 or serial 0000, which are never issued.
bool is_us_ssn(std::string_view digits);

}  // namespace cupel::curate
