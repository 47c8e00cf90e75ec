// What is known of every row, on disk, so that memory does not grow with the corpus.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"
#include "base/scratch_file.h"
#include "curate/decision.h"
#include "data/input_file.h"
#include "data/raw_rows.h"

namespace cupel::curate {

/// A stage and a rule of it. Number 0 is "kept".
struct Rule {
  std::string stage, rule;
  static constexpr auto fields() {
    using C = Rule;
    return std::tuple{Field{"stage", &C::stage, "that decides"},
                      Field{"rule", &C::rule, "that a row breaks"}};
  }
};

struct RowRecord {
  int64_t offset = 0, line = 0;
  int64_t kept = -1;  // of a duplicate: the row that stays
  double value = 0, threshold = 0;
  uint32_t size = 0;  // bytes of the row
  uint16_t file = 0, rule = 0;
  int64_t edits = 0;  // rules that changed the row
};

/// Rows by their number, in the order in which they were added: 56 bytes each, and their bytes
/// where the input does not hold them as they are (compressed files, .csv, .txt, .json, and rows
/// whose text was changed).
class RowStore {
 public:
  /// Its temporary files lie in `folder`, or where the system has them if that is empty.
  explicit RowStore(const std::filesystem::path& folder);

  /// The rows that follow are of this file.
  void begin_file(const std::filesystem::path& path);
  /// `rule` of a row that cannot be read, else 0.
  int64_t add(const RawRow& row, uint16_t rule, double value, double threshold);
  int64_t size() const { return size_; }

  RowRecord record(int64_t row) const;
  /// Records [first, first + count).
  std::vector<RowRecord> records(int64_t first, int64_t count) const;
  void set_record(int64_t row, const RowRecord& record);
  /// From now on the row is `json`, which `edits` made of it, behind those that it has.
  void edit(int64_t row, std::string_view json, const std::vector<Edit>& edits);
  /// What changed the row, in order.
  std::vector<Edit> edits(const RowRecord& record) const;
  const std::string& file_name(const RowRecord& record) const { return files_[record.file].name; }
  /// The row's object, as RawRow::json or the last edit has it. Throws Error{data} if its file was
  /// cut short.
  std::string json(const RowRecord& record) const;

  /// The number of a rule; a new one gets the next.
  uint16_t rule_number(std::string_view stage, std::string_view rule);
  const Rule& rule(uint16_t number) const { return rules_[number]; }

  /// What load() needs beside the files of save().
  struct Saved {
    int64_t rows = 0, spool_bytes = 0;
    std::string records_sha256;
    std::vector<Rule> rules;
    static constexpr auto fields() {
      using C = Saved;
      return std::tuple{Field{"rows", &C::rows, "records in rows.bin"},
                        Field{"spool_bytes", &C::spool_bytes, "of spool.bin that belong to them"},
                        Field{"records_sha256", &C::records_sha256, "of rows.bin"},
                        Field{"rules", &C::rules, "by their number"}};
    }
  };
  /// Puts rows.bin and spool.bin into the folder. The second is the store's own file, to which rows
  /// that follow are appended.
  Saved save(const std::filesystem::path& folder);
  /// Into a store that has no rows: those of save(), whose files begin_file() is told of anew.
  /// False, and nothing changed, if they are not what save() wrote.
  bool load(const std::filesystem::path& folder, const Saved& saved);

 private:
  struct File {
    std::string name;
    std::unique_ptr<InputFile> input;  // if it holds its rows
  };
  ScratchFile records_, spool_;
  std::vector<File> files_;
  std::vector<Rule> rules_{{}};
  int64_t size_ = 0;
};

}  // namespace cupel::curate
