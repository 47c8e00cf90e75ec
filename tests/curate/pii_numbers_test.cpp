#include "curate/pii_numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace cupel::curate {
namespace {

TEST(LuhnDigit, IsThatOfTheStandard) {
  EXPECT_TRUE(has_luhn_digit("79927398713"));
  EXPECT_FALSE(has_luhn_digit("79927398714"));
  EXPECT_FALSE(has_luhn_digit(""));
}

TEST(LuhnDigit, FindsEveryChangedDigit) {
  const std::string good = "4111111111111111";
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>('0' + (changed[i] - '0' + 3) % 10);
    EXPECT_FALSE(has_luhn_digit(changed)) << changed;
  }
}

TEST(CardPrefix, GoesWithItsLength) {
  for (const char* card : {"4111111111111111", "4222222222222", "5555555555554444",
                           "2221000000000009", "378282246310005", "6011111111111117",
                           "30569309025904", "3530111333300000", "6222021234567890128"})
    EXPECT_TRUE(has_card_prefix(card)) << card;
  for (const char* other : {"411111111111111", "37828224631000", "9783161484100",
                            "1234567890123456", "5655555555554444", "2720999999999999999"})
    EXPECT_FALSE(has_card_prefix(other)) << other;
}

TEST(ResidentId, HasARegionADateAndACheckDigit) {
  EXPECT_TRUE(is_cn_resident_id("11010519491231002X"));
  EXPECT_TRUE(is_cn_resident_id("11010519491231002x"));
  EXPECT_FALSE(is_cn_resident_id("440524188001010014")) << "born in 1880";
  EXPECT_FALSE(is_cn_resident_id("110105194912310021")) << "check digit";
  EXPECT_FALSE(is_cn_resident_id("11010519490231002X")) << "31 February";
  EXPECT_FALSE(is_cn_resident_id("99010519491231002X")) << "region";
  EXPECT_FALSE(is_cn_resident_id("1101051949123100X2"));
  EXPECT_FALSE(is_cn_resident_id("11010519491231002"));
}

/// ISO 7064 mod 11-2, as the standard gives it: of powers of two.
char check_digit(const std::string& first) {
  int rest = 0;
  for (const char c : first) rest = (rest + (c - '0')) * 2 % 11;
  const int check = (12 - rest) % 11;
  return check == 10 ? 'X' : static_cast<char>('0' + check);
}

TEST(ResidentId, AgreesWithTheRecurrenceOfTheStandard) {
  for (int serial = 0; serial < 1000; ++serial) {
    std::string number = "51010620000229" + std::to_string(1000 + serial).substr(1);
    const char check = check_digit(number);
    EXPECT_TRUE(is_cn_resident_id(number + check)) << number;
    EXPECT_FALSE(is_cn_resident_id(number + (check == '0' ? '1' : '0'))) << number;
  }
}

TEST(ResidentId, KnowsRegionsAndLeapYears) {
  const auto with = [](std::string first) { return is_cn_resident_id(first + check_digit(first)); };
  for (const char* region : {"11", "15", "23", "37", "46", "50", "54", "65", "71", "83"})
    EXPECT_TRUE(with(std::string(region) + "010519490101002")) << region;
  for (const char* region :
       {"00", "10", "16", "24", "38", "40", "47", "55", "60", "66", "72", "84"})
    EXPECT_FALSE(with(std::string(region) + "010519490101002")) << region;
  EXPECT_TRUE(with("11010520000229002"));
  EXPECT_FALSE(with("11010519000229002"));
}

TEST(Mobile, BeginsWithThirteenToNineteen) {
  EXPECT_TRUE(is_cn_mobile("13812345678"));
  EXPECT_TRUE(is_cn_mobile("19912345678"));
  EXPECT_FALSE(is_cn_mobile("12812345678"));
  EXPECT_FALSE(is_cn_mobile("1381234567"));
}

TEST(SocialSecurityNumber, IsOneThatIsIssued) {
  EXPECT_TRUE(is_us_ssn("123456789"));
  for (const char* never :
       {"000456789", "666456789", "900456789", "123006789", "123450000", "12345678"})
    EXPECT_FALSE(is_us_ssn(never)) << never;
}

}  // namespace
}  // namespace cupel::curate
