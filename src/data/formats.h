// What the readers of single formats share: each turns one file into rows and hands them to a
// taker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/read.h"

namespace cupel::formats {

/// Gets each row that is not taken; `raw` is the row as the file has it.
using RejectCallback =
    std::function<void(const RowProblem& problem, int64_t line, std::string_view raw)>;

/// Keeps the books of one file: rows taken, rows rejected, and what happens to the latter.
class RowTaker {
 public:
  RowTaker(const std::filesystem::path& path, const RowCallback& callback,
           std::vector<Reject>* rejects);
  RowTaker(const std::filesystem::path& path, const RowCallback& callback, RejectCallback reject);

  /// `raw` is the row as the file has it.
  void take(json::Value&& row, int64_t line, std::string_view raw);
  void reject(const RowProblem& problem, int64_t line, std::string_view raw);
  /// Throws Error{data} if there was no row, or none was taken.
  ReadCounts finish() const;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  const RowCallback& callback_;
  RejectCallback reject_;
  ReadCounts counts_;
  std::string first_where_, first_problem_;
};

/// All rows of the file, by its extension. Unlike for_each_row() it takes a file of which no row
/// can be read.
void read_rows(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker);

/// An object stays; an array becomes one by `columns`; anything else is a problem.
std::optional<RowProblem> name_columns(json::Value& row, const std::vector<std::string>& columns);

/// The end of a reject that a line reader found too long.
RowProblem too_long();

void read_jsonl(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker);
void read_json(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker);
void read_csv(const std::filesystem::path& path, RowTaker& taker);
/// A row's line is its number. Throws Error{config} where the plug-in that reads the format is not
/// there.
void read_parquet(const std::filesystem::path& path, RowTaker& taker);
void read_txt_lines(const std::filesystem::path& path, RowTaker& taker);
/// `poll`, if not empty, is called now and then while the file is read; it may throw.
void read_txt_whole(const std::filesystem::path& path, const std::function<void()>& poll,
                    RowTaker& taker);

/// The whole file, decompressed, at most `limit` bytes of it; a byte order mark is left out. `poll`
/// as above.
std::string read_all(const std::filesystem::path& path, std::size_t limit,
                     const std::function<void()>& poll = {});

/// Hands over the elements of a JSON document one by one with their line: of the array that the
/// document is, or of the array under `split` in an object. Used by read_json, lives with simdjson.
void read_json_document(std::string text, const ReadOptions& options, RowTaker& taker);

}  // namespace cupel::formats
