#include "curate/markup.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/text.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kLongestName = 10;

constexpr std::array<std::string_view, 79> kElements{
    "a",      "abbr",       "address",  "area",     "article",    "aside",  "audio",   "b",
    "base",   "blockquote", "body",     "br",       "button",     "canvas", "caption", "center",
    "cite",   "code",       "col",      "colgroup", "dd",         "del",    "div",     "dl",
    "dt",     "em",         "embed",    "fieldset", "figcaption", "figure", "font",    "footer",
    "form",   "frame",      "h1",       "h2",       "h3",         "h4",     "h5",      "h6",
    "head",   "header",     "hr",       "html",     "i",          "iframe", "img",     "input",
    "ins",    "label",      "li",       "link",     "main",       "meta",   "nav",     "noscript",
    "object", "ol",         "option",   "p",        "pre",        "script", "section", "select",
    "small",  "span",       "strong",   "style",    "sub",        "sup",    "svg",     "table",
    "tbody",  "td",         "textarea", "th",       "tr",         "u",      "ul"};

constexpr std::array<std::string_view, 24> kEntities{
    "amp",   "apos",  "bull",  "copy",  "deg",    "gt",    "hellip", "laquo",
    "ldquo", "lsquo", "lt",    "mdash", "middot", "nbsp",  "ndash",  "plusmn",
    "quot",  "raquo", "rdquo", "reg",   "rsquo",  "times", "trade",  "zwnj"};
static_assert(std::is_sorted(kElements.begin(), kElements.end()));
static_assert(std::is_sorted(kEntities.begin(), kEntities.end()));

/// Letters and digits at `at`, in lower case; empty if they are more than a name has.
std::string name_at(std::string_view text, std::size_t at) {
  std::string name;
  for (; at < text.size() && (is_letter(text[at]) || is_digit(text[at])); ++at) {
    if (name.size() == kLongestName) return {};
    name += is_letter(text[at]) ? static_cast<char>(text[at] | 0x20) : text[at];
  }
  return name;
}

template <std::size_t n>
bool is_among(const std::array<std::string_view, n>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

class MarkupScanner {
 public:
  explicit MarkupScanner(std::string_view text)
      : text_(text), next_tag_(text.find('<')), next_entity_(text.find('&')) {}

  MarkupCounts scan() {
    while ((at_ = next_mark()) != std::string_view::npos) {
      const std::size_t end = text_[at_] == '&' ? entity_end() : markup_end();
      if (end == at_) {
        ++at_;
        continue;
      }
      ++counts_.pieces;
      counts_.characters += static_cast<int64_t>(count_characters(text_.substr(at_, end - at_)));
      at_ = end;
    }
    return counts_;
  }

 private:
  /// The first '<' or '&' from at_ on, or npos. Each is looked for alone: memchr is quick.
  std::size_t next_mark() {
    if (next_tag_ < at_) next_tag_ = text_.find('<', at_);
    if (next_entity_ < at_) next_entity_ = text_.find('&', at_);
    return std::min(next_tag_, next_entity_);
  }

  /// Past the entity at at_, or at_.
  std::size_t entity_end() const {
    std::size_t at = at_ + 1;
    const bool number = at < text_.size() && text_[at] == '#';
    if (number) {
      const bool hex = at + 1 < text_.size() && (text_[at + 1] | 0x20) == 'x';
      at += hex ? 2 : 1;
      const std::size_t first = at;
      while (at < text_.size() && at - first < 7 && (hex ? is_hex_digit : is_digit)(text_[at]))
        ++at;
      if (at == first) return at_;
    } else {
      const std::string name = name_at(text_, at);
      if (!is_among(kEntities, name)) return at_;
      at += name.size();
    }
    return at < text_.size() && text_[at] == ';' ? at + 1 : at_;
  }

  /// Past the tag, comment, script or style at at_, or at_.
  std::size_t markup_end() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<!--")) return past("-->", at_ + 4, comments_closed_).value_or(at_);
    if (rest.starts_with("<!") && name_at(text_, at_ + 2) == "doctype") return tag_end(at_ + 9);
    const bool closing = rest.starts_with("</");
    const std::string name = name_at(text_, at_ + (closing ? 2 : 1));
    if (!is_among(kElements, name)) return at_;
    const std::size_t end = tag_end(at_ + (closing ? 2 : 1) + name.size());
    if (end == at_ || closing) return end;
    if (name == "script") return past("</script>", end, scripts_closed_).value_or(end);
    if (name == "style") return past("</style>", end, styles_closed_).value_or(end);
    return end;
  }

  /// Past the '>' of a tag whose name ended at `at`, or at_ where there is none before the next
  /// '<'.
  std::size_t tag_end(std::size_t at) const {
    if (at >= text_.size()) return at_;
    const char next = text_[at];
    if (next != '>' && next != '/' && next != ' ' && next != '\n' && next != '\t') return at_;
    const std::size_t end = text_.find_first_of("<>", at);
    return end != std::string_view::npos && text_[end] == '>' ? end + 1 : at_;
  }

  /// Past the first `mark` from `at` on. `closed` remembers that there is none, for the next time.
  std::optional<std::size_t> past(std::string_view mark, std::size_t at, bool& closed) const {
    const std::size_t found = closed ? text_.find(mark, at) : std::string_view::npos;
    closed = found != std::string_view::npos;
    if (!closed) return std::nullopt;
    return found + mark.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t next_tag_, next_entity_;
  MarkupCounts counts_;
  bool comments_closed_ = true, scripts_closed_ = true, styles_closed_ = true;
};

}  // namespace

MarkupCounts count_markup(std::string_view text) { return MarkupScanner(text).scan(); }

}  // namespace cupel::curate
