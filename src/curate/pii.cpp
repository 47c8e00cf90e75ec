#include "curate/pii.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "curate/pii_numbers.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kLocalBytes = 64, kDomainBytes = 253;  // RFC 5321, section 4.5.3.1
constexpr std::size_t kMostGroups = 7, kMostDigits = 19;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool is_name(char c) { return is_digit(c) || is_letter(c) || c == '_'; }

/// Groups of digits with one space or hyphen between.
struct Groups {
  struct Group {
    std::size_t begin, size;
  };
  std::array<Group, kMostGroups> of{};
  std::size_t count = 0;
  std::string digits;      // all of them
  std::string separators;  // count - 1

  bool has_shape(std::initializer_list<std::size_t> sizes) const {
    return sizes.size() <= count &&
           std::equal(sizes.begin(), sizes.end(), of.begin(),
                      [](std::size_t size, const Group& group) { return group.size == size; });
  }
};

class PiiScanner {
 public:
  explicit PiiScanner(std::string_view text) : text_(text) {}

  std::vector<PiiMatch> scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const std::size_t before = at_;
      if (is_digit(c)) {
        if (!ipv4() && !number()) skip_digits();
      } else if (c == '@') {
        email();
      } else if (c == ':') {
        ipv6();
      } else if (c == '+') {
        phone();
      }
      if (at_ == before) ++at_;
    }
    return std::move(matches_);
  }

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  /// Always true, to end a scanner with.
  bool found(std::string_view kind, std::size_t begin, std::size_t end) {
    matches_.push_back({kind, begin, end});
    at_ = free_ = end;
    return true;
  }

  bool begins_alone(std::size_t begin) const {
    if (begin == free_) return begin == 0 || !is_name(text_[begin - 1]);
    const char last = text_[begin - 1];
    const char before = begin >= 2 ? text_[begin - 2] : '\0';
    if (is_name(last)) return false;
    if (last == '.') return !is_digit(before);
    return (last != '-' && last != '/') || !is_name(before);
  }

  bool ends_alone(std::size_t end) const {
    const char next = at(end), after = at(end + 1);
    if (is_name(next) || next == '@') return false;
    if (next == '.') return !is_digit(after);
    return next != '-' || !is_name(after);
  }

  void skip_digits() {
    while (is_digit(at(at_))) ++at_;
  }

  // --- addresses

  static bool is_local(char c) {
    return is_name(c) || c == '.' || c == '%' || c == '+' || c == '-';
  }

  void email() {
    const std::size_t least = std::max(free_, at_ > kLocalBytes ? at_ - kLocalBytes : 0);
    std::size_t begin = at_;
    while (begin > least && is_local(text_[begin - 1])) --begin;
    while (begin < at_ && !is_name(text_[begin])) ++begin;
    if (begin == at_ || text_[at_ - 1] == '.') return;
    const std::size_t end = domain_end(at_ + 1);
    if (end > 0) found("email", begin, end);
  }

  /// Past the last label of two and more letters, with a label before it; 0 if there is none.
  std::size_t domain_end(std::size_t begin) const {
    std::size_t end = 0, label = begin;
    bool letters = true;
    for (std::size_t i = begin; i <= begin + kDomainBytes; ++i) {
      const char c = at(i);
      if (is_digit(c) || is_letter(c) || (c == '-' && i > label)) {
        letters = letters && is_letter(c);
        continue;
      }
      if (i == label) break;
      if (letters && label > begin && i - label >= 2) end = i;
      if (c != '.') break;
      label = i + 1;
      letters = true;
    }
    return end;
  }

  /// The word before `begin`, over spaces and a colon, says that a number is no address.
  bool after_version_word(std::size_t begin) const {
    std::size_t end = begin;
    while (end > free_ && begin - end < 3 &&
           (text_[end - 1] == ' ' || text_[end - 1] == ':' || text_[end - 1] == '.'))
      --end;
    constexpr std::string_view kWords[] = {"version", "versions", "ver",   "v",
                                           "release", "section",  "build", "chapter",
                                           "sec",     "版本",     "版",    "节"};
    return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
      if (end < word.size()) return false;
      const std::size_t first = end - word.size();
      const bool same =
          std::equal(word.begin(), word.end(), text_.begin() + static_cast<std::ptrdiff_t>(first),
                     [](char a, char b) { return a == lower(b); });
      return same && (first == 0 || !is_name(word[0]) || !is_name(text_[first - 1]));
    });
  }

  /// Past four numbers up to 255 from `begin` on, or 0.
  std::size_t ipv4_end(std::size_t begin) const {
    std::size_t i = begin;
    for (int part = 0; part < 4; ++part) {
      if (part > 0 && at(i++) != '.') return 0;
      const std::size_t first = i;
      int value = 0;
      while (is_digit(at(i)) && i - first < 3) value = value * 10 + (text_[i++] - '0');
      const bool leading_zero = text_[std::min(first, text_.size() - 1)] == '0' && i - first > 1;
      if (i == first || value > 255 || leading_zero || is_digit(at(i))) return 0;
    }
    return i;
  }

  bool ipv4() {
    const std::size_t begin = at_, end = ipv4_end(begin);
    constexpr std::size_t kSingleDigits = 7;
    if (end == 0 || end - begin == kSingleDigits || text_[begin] == '0') return false;
    if (!begins_alone(begin) || !ends_alone(end) || after_version_word(begin)) return false;
    return found("ipv4", begin, end);
  }

  void ipv6() {
    std::size_t begin = at_;
    while (begin > free_ && at_ - begin < 4 && is_hex_digit(text_[begin - 1])) --begin;
    const char last = begin > 0 ? text_[begin - 1] : '\0';
    if (is_name(last) || last == ':' || last == '.') return;
    const std::size_t end = ipv6_end(begin);
    if (end > 0) found("ipv6", begin, end);
  }

  /// Past the address at `begin`, or 0.
  std::size_t ipv6_end(std::size_t begin) const {
    std::size_t i = begin;
    int groups = 0;
    bool shortened = false, has_digit = false;
    while (groups < 8) {
      if (at(i) == ':' && at(i + 1) == ':' && !shortened) {
        shortened = true;
        i += 2;
      } else if (groups > 0) {
        const bool after_gap = text_[i - 1] == ':';
        if (!after_gap && (at(i) != ':' || !is_hex_digit(at(i + 1)))) break;
        i += after_gap ? 0 : 1;
      }
      const std::size_t first = i;
      while (is_hex_digit(at(i)) && i - first < 4) has_digit |= is_digit(text_[i++]);
      if (i == first) break;
      ++groups;
    }
    const bool whole = shortened ? groups >= 2 && groups < 8 : groups == 8;
    const bool ends =
        !is_name(at(i)) && !(at(i) == ':' && (at(i + 1) == ':' || is_name(at(i + 1))));
    return whole && has_digit && ends ? i : 0;
  }

  // --- numbers

  void phone() {
    const std::size_t begin = at_;
    if (begin > 0 && (is_name(text_[begin - 1]) || text_[begin - 1] == '+')) return;
    if (at(begin + 1) < '1' || at(begin + 1) > '9') return;
    std::string digits;
    bool grouped = false, open = false;
    std::size_t end = begin + 1, kept = 0;
    for (std::size_t i = begin + 1; digits.size() <= 15; ++i) {
      const char c = at(i);
      if (is_digit(c)) {
        digits += c;
        if (!is_digit(at(i + 1)) && digits.size() <= 15) end = i + 1, kept = digits.size();
      } else if ((c == ' ' || c == '-' || c == '.') && (is_digit(at(i + 1)) || at(i + 1) == '(')) {
        grouped = true;
      } else if (c == '(' && !open && is_digit(at(i + 1))) {
        open = grouped = true;
      } else if (c != ')' || !open) {
        break;
      }
    }
    digits.resize(kept);
    if (digits.size() < (grouped ? 8u : 10u) || !ends_alone(end)) return;
    const bool chinese =
        digits.starts_with("86") && is_cn_mobile(std::string_view(digits).substr(2));
    found(chinese ? "cn_mobile" : "phone", begin, end);
  }

  Groups groups_at(std::size_t begin) const {
    Groups groups;
    std::size_t i = begin;
    while (groups.count < kMostGroups && is_digit(at(i))) {
      const std::size_t first = i;
      while (is_digit(at(i)) && i - first <= kMostDigits) groups.digits += text_[i++];
      groups.of[groups.count++] = {first, i - first};
      if (at(i) != ' ' && at(i) != '-') break;
      groups.separators += text_[i++];
    }
    return groups;
  }

  bool number() {
    if (!begins_alone(at_)) return false;
    const Groups groups = groups_at(at_);
    if (groups.of[0].size > kMostDigits) return false;
    return resident_id(groups) || ssn(groups) || mobile(groups) || card(groups);
  }

  std::size_t end_of(const Groups& groups, std::size_t count) const {
    return groups.of[count - 1].begin + groups.of[count - 1].size;
  }

  /// 18, 17 and an X, or 6-8-4.
  bool resident_id(const Groups& groups) {
    const bool whole = groups.of[0].size == 17 || groups.of[0].size == 18;
    const bool split = groups.has_shape({6, 8, 3}) || groups.has_shape({6, 8, 4});
    if (!whole && !split) return false;
    std::size_t end = end_of(groups, whole ? 1 : 3);
    std::string id = groups.digits.substr(0, 18);
    if (groups.of[whole ? 0 : 2].size != (whole ? 18u : 4u)) {
      id.resize(17);
      id += at(end++);
    }
    if (!is_cn_resident_id(id) || !ends_alone(end)) return false;
    return found("cn_resident_id", groups.of[0].begin, end);
  }

  bool ssn(const Groups& groups) {
    if (!groups.has_shape({3, 2, 4}) || !groups.separators.starts_with("--")) return false;
    const std::size_t end = end_of(groups, 3);
    if (!is_us_ssn(std::string_view(groups.digits).substr(0, 9)) || !ends_alone(end)) return false;
    return found("us_ssn", groups.of[0].begin, end);
  }

  /// 11, 13 with 86, 15 with 0086; these before it, or 3-4-4, as groups of their own.
  bool mobile(const Groups& groups) {
    const auto starts_with_country = [&](std::size_t group) {
      const std::string_view first(text_.substr(groups.of[group].begin, groups.of[group].size));
      return first == "86" || first == "0086";
    };
    const std::size_t first = starts_with_country(0) ? 1 : 0;
    if (first >= groups.count) return false;
    std::size_t count = first + 1;
    const std::size_t size = groups.of[first].size;
    if (size == 3 && groups.count >= first + 3 && groups.of[first + 1].size == 4 &&
        groups.of[first + 2].size == 4) {
      count = first + 3;
    } else if (size != 11 && size != 13 && size != 15) {
      return false;
    }
    const std::size_t end = end_of(groups, count);
    std::string_view digits = std::string_view(groups.digits);
    std::size_t used = 0;
    for (std::size_t i = 0; i < count; ++i) used += groups.of[i].size;
    digits = digits.substr(0, used);
    if (digits.starts_with("0086")) digits.remove_prefix(4);
    if (digits.starts_with("86")) digits.remove_prefix(2);
    if (!is_cn_mobile(digits) || !ends_alone(end)) return false;
    return found("cn_mobile", groups.of[0].begin, end);
  }

  /// One group, or groups of four but for the last, or 4-6-5, or 6 and the rest.
  bool card(const Groups& groups) {
    std::size_t used = 0;
    for (std::size_t count = 1; count <= groups.count; ++count) {
      used += groups.of[count - 1].size;
      if (used > kMostDigits) return false;
      const auto fours = [](const Groups::Group& group) { return group.size == 4; };
      const bool shape =
          count == 1 ||
          std::all_of(groups.of.begin(), groups.of.begin() + static_cast<std::ptrdiff_t>(count) - 1,
                      fours) ||
          (count == 3 && groups.has_shape({4, 6, 5})) || (count == 2 && groups.of[0].size == 6);
      const std::string_view digits = std::string_view(groups.digits).substr(0, used);
      const std::size_t end = end_of(groups, count);
      if (shape && has_card_prefix(digits) && has_luhn_digit(digits) && ends_alone(end))
        return found("bank_card", groups.of[0].begin, end);
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t free_ = 0;  // nothing before it is taken again
  std::vector<PiiMatch> matches_;
};

}  // namespace

std::vector<std::string> PiiConfig::problems() const {
  std::vector<std::string> problems;
  std::string known;
  for (const std::string_view kind : kPiiKinds)
    known += (known.empty() ? "" : ", ") + std::string(kind);
  for (const std::string& kind : kinds) {
    if (std::find(kPiiKinds.begin(), kPiiKinds.end(), kind) == kPiiKinds.end())
      problems.push_back("\"" + kind + "\" is no kind of personal data; there are " + known);
  }
  return problems;
}

std::vector<PiiMatch> find_pii(std::string_view text) { return PiiScanner(text).scan(); }

std::string mask_pii(std::string_view text, std::span<const PiiMatch> matches) {
  std::string masked;
  std::size_t at = 0;
  for (const PiiMatch& match : matches) {
    CUPEL_ASSERT(match.begin >= at && match.begin <= match.end && match.end <= text.size());
    masked += text.substr(at, match.begin - at);
    masked += '[';
    for (const char c : match.kind) masked += is_letter(c) ? static_cast<char>(c & ~0x20) : c;
    masked += ']';
    at = match.end;
  }
  masked += text.substr(at);
  return masked;
}

}  // namespace cupel::curate
