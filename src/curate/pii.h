// Personal data in a text: addresses and numbers that lead to a person, found by form and check
// digit.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"

namespace cupel::curate {

inline constexpr std::array<std::string_view, 8> kPiiKinds = {
    "email", "ipv4", "ipv6", "phone", "cn_mobile", "cn_resident_id", "bank_card", "us_ssn"};

enum class PiiAction { drop, mask };
constexpr std::array<std::string_view, 2> names(PiiAction) { return {"drop", "mask"}; }

struct PiiConfig {
  std::vector<std::string> kinds;
  PiiAction action = PiiAction::drop;
  static constexpr std::string_view kShorthand = "kinds";
  static constexpr auto fields() {
    using C = PiiConfig;
    return std::tuple{
        Field{"kinds", &C::kinds,
              "email, ipv4, ipv6, phone, cn_mobile, cn_resident_id, bank_card, us_ssn"},
        Field{"action", &C::action,
              "drop the row, or mask what is found: [EMAIL] in place of an address"}};
  }
  std::vector<std::string> problems() const;
};

/// Bytes [begin, end) of the text.
struct PiiMatch {
  std::string_view kind;
  std::size_t begin = 0, end = 0;
  bool operator==(const PiiMatch&) const = default;
};

/// In order, without overlap. Linear in the text: each scanner looks a bounded number of bytes
/// around its trigger. Numbers stand alone: not within a word, a decimal fraction or a path.
///
/// email           local@domain.tld, ASCII.
/// ipv4            four numbers up to 255. Not after "version" and its like, nor of four single
///                 digits: 1.2.3.4 is a version or a section, and the few such addresses are public
///                 servers.
/// ipv6            RFC 4291 with a digit in it; "::" alone and names joined by "::" are none.
/// phone           "+" and 10 to 15 digits, or 8 and more in groups.
/// cn_mobile       11 digits, the first 1, the second 3 to 9; 3-4-4 too; after 86, +86 or 0086 too.
/// cn_resident_id  GB 11643: region, date of birth, check digit by ISO 7064 mod 11-2.
/// bank_card       13 to 19 digits with the prefix and length of a network, check digit by Luhn.
/// us_ssn          3-2-4 with hyphens, no number that is never issued.
///
/// Left out: names and postal addresses, numbers of land lines without a country, and identity
/// numbers of further countries.
std::vector<PiiMatch> find_pii(std::string_view text);

/// `text` with each match replaced by its kind in square brackets: "[EMAIL]". Matches as from
/// find_pii(): in order, without overlap, within the text; anything else is Error{bug}.
std::string mask_pii(std::string_view text, std::span<const PiiMatch> matches);

}  // namespace cupel::curate
