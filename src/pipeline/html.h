// Pieces of a self-contained HTML page: escaped text, numbers for people, tables, the page itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace cupel::pipeline::html {

/// Text as it may stand in an element or a quoted attribute: & < > " ' escaped; bytes that are no
/// UTF-8, and characters that XML has no place for, become U+FFFD.
std::string escape(std::string_view text);

/// For people: "1,234,567", "0.0312", "1.2e-07"; "–" for what is not finite.
std::string number(double value);
/// Three digits and a letter, for axes: "65.5k", "1.2M", "0.003", "2e-5".
std::string short_number(double value);
/// "1.21 GiB"
std::string byte_size(double bytes);
/// "85 s", "3 min 20 s", "2 h 5 min"
std::string duration(double seconds);

/// <name class="…">inner</name>; an empty `classes` gives no attribute. `inner` is HTML.
std::string element(std::string_view name, std::string_view classes, std::string_view inner);
/// <details> that is closed at first. `summary` and `inner` are HTML.
std::string collapsible(std::string_view summary, std::string_view inner);

/// A figure that stands out: label, value, and a line of explanation, all plain text.
struct Tile {
  std::string label, value, note = {};
};
std::string tiles(const std::vector<Tile>& tiles);

/// `headers` and cells are HTML; columns whose index is in `numeric` are set flush right.
std::string table(const std::vector<std::string>& headers,
                  const std::vector<std::vector<std::string>>& rows,
                  const std::vector<std::size_t>& numeric = {});

/// Any JSON value as nested tables: an object becomes rows, a list of objects with scalar members
/// one table. At most 200 rows a level are shown, and what is left out is said.
std::string value(const json::Value& value);

/// The whole document: one style sheet for light, dark, phone and paper, no script, no outside
/// request. `title` is plain text, `body` HTML.
std::string page(std::string_view title, std::string_view body);

}  // namespace cupel::pipeline::html
