#include "curate/substring_stage.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/scratch_file.h"
#include "curate/text_counts.h"
#include "data/row_edit.h"

namespace cupel::curate {
namespace {

std::string text_of(int64_t row, ParserPool& parsers, const RowStore& rows) {
  std::string text;
  parsers.with([&](RowFieldParser& parser) {
    std::string json;
    RowFields fields;
    read_fields(rows, rows.record(row), parser, json, fields);
    text = fields.text;
  });
  return text;
}

/// Characters that are left, 0 if they are white space.
int64_t left_of(std::string_view text, const std::vector<Repeat>& repeats) {
  const std::string rest = remove_repeats(text, repeats);
  return rest.find_first_not_of(" \t\r\n") == std::string::npos ? 0 : text_width(rest);
}

/// What is cut from the rows that stay, by row and place: rows are edited only when the search is
/// over, since it reads them as they were.
class Cuts {
 public:
  explicit Cuts(const std::filesystem::path& folder) : file_(folder) {}

  void add(int64_t row, const std::vector<Repeat>& repeats) {
    for (const Repeat& repeat : repeats) {
      const Cut cut{row, repeat.begin, repeat.end};
      file_.append({reinterpret_cast<const char*>(&cut), sizeof cut});
    }
  }

  /// Calls take(row, repeats) for each row.
  template <class Take>
  void for_each_row(const Take& take) const {
    std::vector<Repeat> repeats;
    int64_t row = -1;
    for (int64_t at = 0; at < file_.size(); at += static_cast<int64_t>(sizeof(Cut))) {
      Cut cut;
      file_.read(at, reinterpret_cast<char*>(&cut), sizeof cut);
      if (cut.row != row && !repeats.empty()) {
        take(row, repeats);
        repeats.clear();
      }
      row = cut.row;
      repeats.push_back({cut.begin, cut.end, 0, 0});
    }
    if (!repeats.empty()) take(row, repeats);
  }

 private:
  struct Cut {
    int64_t row = 0;
    std::size_t begin = 0, end = 0;
  };
  ScratchFile file_;
};

}  // namespace

void cut_repeats(const SubstringConfig& config, int64_t least_chars, int64_t first,
                 int64_t memory_limit, ParserPool& parsers, RowStore& rows, Run& run) {
  const auto section = run.section("substring");
  RepeatFinder finder(config, memory_limit, run.folder());
  std::vector<std::vector<Anchor>> anchors(kPassRows);
  std::vector<int64_t> row_of;  // by document
  int64_t first_document = 0;
  for_each_kept_text(
      rows, parsers, run, "anchors",
      [&](int64_t, std::size_t slot, std::string_view text) {
        anchors[slot] = finder.anchors(text);
      },
      [&](int64_t row, std::size_t slot) {
        finder.add(std::exchange(anchors[slot], {}));
        row_of.push_back(row);
        first_document += row < first;
      });
  const auto row = [&](int64_t document) { return row_of[static_cast<std::size_t>(document)]; };
  const auto source = [&](int64_t document) { return text_of(row(document), parsers, rows); };
  Cuts cuts(run.folder());
  const auto take = [&](int64_t document, std::string_view text,
                        const std::vector<Repeat>& repeats) {
    const int64_t left = left_of(text, repeats);
    if (left >= std::max<int64_t>(least_chars, 1)) {
      cuts.add(row(document), repeats);
      return true;
    }
    RowRecord record = rows.record(row(document));
    record.rule = rows.rule_number("substring", "too_short");
    record.value = static_cast<double>(left);
    record.threshold = static_cast<double>(std::max<int64_t>(least_chars, 1));
    std::size_t longest = 0;
    for (const Repeat& repeat : repeats) {
      if (repeat.source == document || repeat.end - repeat.begin <= longest) continue;
      longest = repeat.end - repeat.begin;
      record.kept = row(repeat.source);
    }
    rows.set_record(row(document), record);
    return false;
  };
  finder.find(first_document, source, take, [&run] { run.stop_if_asked(); });
  cuts.for_each_row([&](int64_t edited, const std::vector<Repeat>& repeats) {
    run.stop_if_asked();
    const RowRecord record = rows.record(edited);
    const std::string text = remove_repeats(text_of(edited, parsers, rows), repeats);
    rows.edit(edited, with_text(rows.json(record), parsers.text_field(), text),
              {{"substring", "repeat", static_cast<int64_t>(repeats.size())}});
  });
}

}  // namespace cupel::curate
