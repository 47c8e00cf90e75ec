// .parquet through Apache Arrow, in a library of its own that is opened when the first such file
// is: cupel neither links it nor needs it for anything else.
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/arrow_value.h"
#include "data/formats.h"
#include "data/input_file.h"
#include "data/line_reader.h"
#include "data/parquet_plugin.h"
#include "data/utf8.h"

namespace cupel::formats {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kBatchRows = 256;

/// Calls release of what the Arrow interface handed over.
template <class T>
struct Owned {
  T value{};
  Owned() = default;
  ~Owned() {
    if (value.release != nullptr) value.release(&value);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

/// Beside the program, where a build leaves it and an installation puts it, then where the system
/// looks.
std::vector<fs::path> plugin_places() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  return {program / kParquetPlugin, program.parent_path() / kParquetPlugin,
          program.parent_path() / "lib" / kParquetPlugin,
          program.parent_path() / "lib" / "x86_64-linux-gnu" / kParquetPlugin, kParquetPlugin};
}

ParquetOpen find_plugin(const std::string& file) {
  std::string trouble;
  for (const fs::path& place : plugin_places()) {
    if (place.is_absolute() && !fs::exists(place)) continue;
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      trouble = dlerror();
    } else if (void* function = dlsym(library, kParquetOpen)) {
      return reinterpret_cast<ParquetOpen>(function);
    }
  }
  fail(ErrorKind::config, file,
       "the plug-in that reads .parquet cannot be opened (" + trouble + ")",
       "run scripts/setup --parquet and build again, or convert the file to .jsonl");
}

[[noreturn]] void fail_parquet(const std::string& file, std::string what) {
  for (char& c : what) {  // Arrow's errors may have several lines
    if (c == '\n') c = ' ';
  }
  fail(ErrorKind::data, file, "cannot be read as Parquet: " + what,
       "write the file again, or convert it to .jsonl");
}

/// The first text in the value that is not valid UTF-8 makes the row a reject.
bool is_all_utf8(const json::Value& value) {
  if (value.is_string()) return !find_invalid_utf8(value.as_string(""));
  if (value.is_array()) {
    for (const json::Value& item : value.as_array("")) {
      if (!is_all_utf8(item)) return false;
    }
  }
  if (value.is_object()) {
    for (const auto& [name, member] : value.as_object("")) {
      if (!is_all_utf8(member)) return false;
    }
  }
  return true;
}

void take_row(json::Value&& row, int64_t number, RowTaker& taker) {
  if (!is_all_utf8(row)) {
    taker.reject({"utf8", "not valid UTF-8"}, number, {});
    return;
  }
  const std::string raw = json::dump(row);
  if (raw.size() > kMaxRowBytes) {
    taker.reject(too_long(), number, raw);
  } else {
    taker.take(std::move(row), number, raw);
  }
}

}  // namespace

void read_parquet(const fs::path& path, RowTaker& taker) {
  const std::string& file = taker.name();
  { const InputFile exists(path); }
  static const ParquetOpen open = find_plugin(file);
  std::string error(512, '\0');
  Owned<ArrowArrayStream> stream;
  if (open(path.c_str(), kBatchRows, &stream.value, error.data(), error.size()) != 0)
    fail_parquet(file, error.c_str());
  const auto check = [&](int code) {
    if (code == 0) return;
    const char* what = stream.value.get_last_error(&stream.value);
    fail_parquet(file, what == nullptr ? "error " + std::to_string(code) : what);
  };
  Owned<ArrowSchema> schema;
  check(stream.value.get_schema(&stream.value, &schema.value));
  if (const std::string column = unreadable_column(schema.value); !column.empty()) {
    fail(ErrorKind::data, file, column + " is not read",
         "write the file without that column, or convert it to .jsonl");
  }
  int64_t number = 0;
  while (true) {
    Owned<ArrowArray> batch;
    check(stream.value.get_next(&stream.value, &batch.value));
    if (batch.value.release == nullptr) return;
    for (int64_t i = 0; i < batch.value.length; ++i)
      take_row(arrow_value(schema.value, batch.value, i), ++number, taker);
  }
}

}  // namespace cupel::formats
