#include "curate/pii.h"

#include <gtest/gtest.h>

#include <random>

#include "support/errors.h"

namespace cupel::curate {
namespace {

/// "kind=text" of every match, joined by spaces.
std::string found_in(std::string_view text) {
  std::string all;
  for (const PiiMatch& m : find_pii(text)) {
    if (!all.empty()) all += " | ";
    all += std::string(m.kind) + "=" + std::string(text.substr(m.begin, m.end - m.begin));
  }
  return all;
}

TEST(Pii, FindsEmailAddresses) {
  EXPECT_EQ(found_in("Write to jane.doe+lab@mail.example.org."),
            "email=jane.doe+lab@mail.example.org");
  EXPECT_EQ(found_in("邮箱：wang_li@163.com，谢谢"), "email=wang_li@163.com");
  EXPECT_EQ(found_in("<a@b.co>,13812345678@qq.com"), "email=a@b.co | email=13812345678@qq.com");
  EXPECT_EQ(found_in("-x@y.de"), "email=x@y.de");
}

TEST(Pii, TakesNoOtherAtForAnAddress) {
  for (const char* text : {"meet @ noon", "user@localhost", "@mention", "a@b", "x@1.2", "a.@b.com",
                           "5 mg @ 3.50 USD", "f@", "@", "a@.com", "a@-b.com"})
    EXPECT_EQ(found_in(text), "") << text;
}

TEST(Pii, FindsIpAddresses) {
  EXPECT_EQ(found_in("from 192.168.10.24 to 10.0.0.12:8080."),
            "ipv4=192.168.10.24 | ipv4=10.0.0.12");
  EXPECT_EQ(found_in("at 2001:db8::ff00:42:8329, fe80::1/64"),
            "ipv6=2001:db8::ff00:42:8329 | ipv6=fe80::1");
  EXPECT_EQ(found_in("2001:0db8:0000:0000:0000:ff00:0042:8329"),
            "ipv6=2001:0db8:0000:0000:0000:ff00:0042:8329");
}

TEST(Pii, TakesNoVersionSectionTimeOrScopeForAnAddress) {
  for (const char* text : {"1.2.3.4",
                           "see 3.1.4.2 below",
                           "version 10.12.3.41",
                           "Version: 10.12.3.41",
                           "v10.12.3.41",
                           "release 10.12.3.41",
                           "版本 10.12.3.41",
                           "10.12.3.256",
                           "010.12.3.25",
                           "1.22.333.44.5",
                           "0.12.13.14",
                           "12:30:45",
                           "std::vector",
                           "a::b",
                           "abc::def",
                           "::",
                           "::1",
                           "00:1a:2b:3c:4d:5e",
                           "ratio 1:2:3",
                           "x1::2y",
                           "dead:beef"})
    EXPECT_EQ(found_in(text), "") << text;
}

TEST(Pii, FindsPhoneNumbersWithACountry) {
  EXPECT_EQ(found_in("call +1 (415) 555-2671 or +442079460958"),
            "phone=+1 (415) 555-2671 | phone=+442079460958");
  EXPECT_EQ(found_in("+49 30 901820"), "phone=+49 30 901820");
}

TEST(Pii, FindsChineseMobiles) {
  EXPECT_EQ(found_in("电话13812345678，或138-1234-5678"),
            "cn_mobile=13812345678 | cn_mobile=138-1234-5678");
  EXPECT_EQ(
      found_in(
          "+86 138 1234 5678; +8613812345678; 86-13812345678; 008613812345678; 0086 13812345678"),
      "cn_mobile=+86 138 1234 5678 | cn_mobile=+8613812345678 | cn_mobile=86-13812345678 | "
      "cn_mobile=008613812345678 | cn_mobile=0086 13812345678");
}

TEST(Pii, TakesNoNumberOfAnotherKindForAPhone) {
  for (const char* text :
       {"PMID 12345678", "PMID: 31452104", "NCT01234567", "12812345678", "138123456789",
        "0.13812345678", "13812345678.5", "10.1016/13812345678", "id_13812345678", "a13812345678",
        "C++11 1234 5678", "+12345678", "+5 mg", "1998-2003", "n=13812345678x",
        "ISBN 978-3-16-148410-0", "x/13812345678", "ID-13812345678"})
    EXPECT_EQ(found_in(text), "") << text;
}

TEST(Pii, FindsResidentIdsByTheirCheckDigit) {
  EXPECT_EQ(found_in("身份证号11010519491231002X。"), "cn_resident_id=11010519491231002X");
  EXPECT_EQ(found_in("ID 110105 19491231 002x"), "cn_resident_id=110105 19491231 002x");
  EXPECT_EQ(found_in("身份证号110105194912310021"), "");
  EXPECT_EQ(found_in("11010519491231002XY"), "");
}

TEST(Pii, FindsBankCardsByPrefixAndCheckDigit) {
  EXPECT_EQ(found_in("card 4111 1111 1111 1111, amex 3782-822463-10005"),
            "bank_card=4111 1111 1111 1111 | bank_card=3782-822463-10005");
  EXPECT_EQ(found_in("卡号6222021234567890128"), "bank_card=6222021234567890128");
  EXPECT_EQ(found_in("4111 1111 1111 1111 2025"), "bank_card=4111 1111 1111 1111");
  for (const char* text : {"4111 1111 1111 1112", "1234567890123456", "41111111111111111111",
                           "41 11111111111111", "9783161484100"})
    EXPECT_EQ(found_in(text), "") << text;
}

TEST(Pii, FindsSocialSecurityNumbersWithHyphens) {
  EXPECT_EQ(found_in("SSN 123-45-6789."), "us_ssn=123-45-6789");
  for (const char* text :
       {"123 45 6789", "123456789", "000-45-6789", "123-45-6789-0", "1123-45-6789"})
    EXPECT_EQ(found_in(text), "") << text;
}

TEST(Pii, LeavesAbstractsAlone) {
  EXPECT_EQ(
      found_in("In 1,250 patients (mean age 54.3 +/- 12.1 years), 95% CI 1.12-1.45, p = 0.003; "
               "doses of 100-200 mg at 08:30 and 20:30, DOI 10.1056/NEJMoa2034577, 1985-1990, "
               "PMID 33301246, grant R01-HL-123456-02, 2 x 10(6) cells."),
      "");
}

TEST(Mask, PutsTheKindInPlace) {
  const std::string_view text = "a@b.org 和 13812345678";
  EXPECT_EQ(mask_pii(text, find_pii(text)), "[EMAIL] 和 [CN_MOBILE]");
  EXPECT_EQ(mask_pii("nothing", {}), "nothing");
}

TEST(Pii, MatchesAreInOrderWithoutOverlap) {
  std::mt19937 random(4);
  constexpr const char* kPieces[] = {
      "1", "38", "1234", "5678", "@",  "a",  ".com",          "-", " ", "+",
      ":", "::", "fe80", "4111", "11", "86", "192.168.10.24", "X", "号"};
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += kPieces[random() % std::size(kPieces)];
    const std::vector<PiiMatch> matches = find_pii(text);
    std::size_t end = 0;
    for (const PiiMatch& m : matches) {
      EXPECT_TRUE(m.begin >= end && m.begin < m.end && m.end <= text.size()) << text;
      end = m.end;
    }
    if (matches.empty()) {
      EXPECT_EQ(mask_pii(text, matches), text);
    }
  }
}

TEST(Mask, RefusesMatchesThatOverlap) {
  const std::vector<PiiMatch> overlapping{{"email", 0, 4}, {"phone", 2, 6}};
  EXPECT_THAT([&] { mask_pii("0123456789", overlapping); }, throws_error(ErrorKind::bug, ""));
}

}  // namespace
}  // namespace cupel::curate
