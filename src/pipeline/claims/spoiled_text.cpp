#include "pipeline/claims/spoiled_text.h"

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace cupel::pipeline::claims {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  CUPEL_ASSERT(!words.empty());
  return words;
}

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) {
    if (!word.empty()) text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

template <class Items>
const auto& pick(const Items& items, Rng& rng) {
  return items[static_cast<std::size_t>(rng.below(std::size(items)))];
}

std::size_t between(std::size_t least, std::size_t most, Rng& rng) {
  return least + static_cast<std::size_t>(rng.below(most - least + 1));
}

std::string first_words(std::string_view text, std::size_t count) {
  const std::vector<std::string> words = words_of(text);
  return joined(std::span(words).first(std::min(count, words.size())));
}

std::string spaced_anew(std::string_view text, Rng& rng) {
  constexpr std::array<std::string_view, 3> kSpaces = {" ", "  ", "\n"};
  std::string out(1, ' ');
  for (const char c : text) {
    if (c == ' ') {
      out += pick(kSpaces, rng);
    } else {
      out += c;
    }
  }
  return out + "\n";
}

std::string as_page(std::string_view text) {
  std::string page =
      "<html><body><ul class=\"menu\"><li><a href=\"/\">Home</a></li><li><a href=\"/all\">"
      "Articles</a></li></ul><p>";
  for (std::size_t i = 0; i < text.size(); ++i) {
    page += text[i];
    if (text.substr(i, 2) == ". ") page += "</p>\n<p>";
  }
  return page + "</p><div class=\"footer\">&copy; All rights reserved</div></body></html>";
}

/// Replaces characters, each with probability `rate`, by replacement().
template <class Replacement>
std::string with_replaced(std::string_view text, double rate, Rng& rng,
                          const Replacement& replacement) {
  std::string out;
  for (const char c : text) {
    if (rng.uniform() < rate) {
      out += replacement();
    } else {
      out += c;
    }
  }
  return out;
}

std::string signs(Rng& rng) {
  std::string text(between(300, 900, rng), ' ');
  for (char& c : text) c = pick(std::string_view("0123456789 #*|_/=-."), rng);
  return text;
}

}  // namespace

std::string copy_of(std::string_view text, Copy how, Rng& rng) {
  if (how == Copy::white_space) return spaced_anew(text, rng);
  std::string out(text);
  if (how == Copy::letter_case) {
    const bool capitals = rng.below(2) == 0;
    for (char& c : out) c = capitals ? upper(c) : lower(c);
  }
  return out;
}

std::string edited(std::string_view text, double rate, std::string_view other, Rng& rng) {
  std::vector<std::string> words = words_of(text);
  const std::vector<std::string> others = words_of(other);
  const auto edit = [&](std::string& word) {
    const auto how = rng.below(4);
    if (how == 0) {
      word.clear();
    } else if (how == 1 && word.size() > 1) {
      const std::size_t at = between(1, word.size() - 1, rng);
      std::swap(word[at - 1], word[at]);
    } else if (how == 2) {
      std::transform(word.begin(), word.end(), word.begin(), upper);
    } else {
      word = pick(others, rng);
    }
  };
  bool any = false;
  for (std::string& word : words) {
    if (rng.uniform() >= rate) continue;
    edit(word);
    any = true;
  }
  if (!any) edit(words[static_cast<std::size_t>(rng.below(words.size()))]);
  return joined(words);
}

std::string damaged(std::string_view text, Damage how, Rng& rng) {
  constexpr std::array<std::string_view, 6> kMojibake = {"Ã©", "â€™", "â€œ", "Ã¼", "Ð¢", "Â "};
  constexpr std::string_view kControls("\0\x01\x02\x07\x08\x1b\x7f", 7);
  switch (how) {
    case Damage::empty:
      return {};
    case Damage::too_short:
      return first_words(text, between(1, 3, rng));
    case Damage::html_left:
      return as_page(text);
    case Damage::mojibake:
      return with_replaced(text, 0.1, rng, [&] { return pick(kMojibake, rng); });
    case Damage::control_chars:
      return with_replaced(text, 0.05, rng, [&] { return pick(kControls, rng); });
    case Damage::repetition: {
      const std::string phrase = first_words(text, between(3, 8, rng));
      return joined(std::vector(between(20, 40, rng), phrase));
    }
    case Damage::symbols:
      return signs(rng);
    case Damage::no_label:
      break;
  }
  return std::string(text);
}

}  // namespace cupel::pipeline::claims
