#include "curate/row_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/atomic_file.h"
#include "base/error.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;

constexpr const char *kRecords = "rows.bin", *kSpool = "spool.bin";
constexpr int64_t kRecordBytes = sizeof(RowRecord);
static_assert(kRecordBytes == 56);

/// An Edit as it lies behind its row.
struct StoredEdit {
  int64_t count = 0, rule = 0;
};

}  // namespace

RowStore::RowStore(const fs::path& folder) : records_(folder), spool_(folder) {}

void RowStore::begin_file(const fs::path& path) {
  CUPEL_ASSERT(files_.size() < UINT16_MAX);
  files_.push_back({path.string(), nullptr});
  if (holds_rows(path)) files_.back().input = std::make_unique<InputFile>(path);
}

int64_t RowStore::add(const RawRow& row, uint16_t rule, double value, double threshold) {
  RowRecord record;
  record.offset = row.offset >= 0 || row.problem != nullptr ? row.offset : spool_.append(row.json);
  record.line = row.line;
  record.value = value;
  record.threshold = threshold;
  record.size = static_cast<uint32_t>(row.json.size());
  record.file = static_cast<uint16_t>(files_.size() - 1);
  record.rule = rule;
  records_.append(bytes_of(record));
  return size_++;
}

RowRecord RowStore::record(int64_t row) const { return records(row, 1)[0]; }

std::vector<RowRecord> RowStore::records(int64_t first, int64_t count) const {
  std::vector<RowRecord> out(static_cast<std::size_t>(count));
  records_.read(first * kRecordBytes, reinterpret_cast<char*>(out.data()),
                out.size() * sizeof(RowRecord));
  return out;
}

void RowStore::set_record(int64_t row, const RowRecord& record) {
  records_.write(row * kRecordBytes, bytes_of(record));
}

void RowStore::edit(int64_t row, std::string_view json, const std::vector<Edit>& edits) {
  RowRecord changed = record(row);
  std::vector<Edit> all = this->edits(changed);
  all.insert(all.end(), edits.begin(), edits.end());
  changed.offset = spool_.append(json);
  changed.size = static_cast<uint32_t>(json.size());
  changed.edits = static_cast<int64_t>(all.size());
  for (const Edit& edit : all)
    spool_.append(bytes_of(StoredEdit{edit.count, rule_number(edit.stage, edit.rule)}));
  set_record(row, changed);
}

std::vector<Edit> RowStore::edits(const RowRecord& record) const {
  std::vector<StoredEdit> stored(static_cast<std::size_t>(record.edits));
  if (stored.empty()) return {};
  spool_.read(record.offset + record.size, reinterpret_cast<char*>(stored.data()),
              stored.size() * sizeof(StoredEdit));
  std::vector<Edit> edits;
  for (const StoredEdit& each : stored) {
    const Rule& by = rules_[static_cast<std::size_t>(each.rule)];
    edits.push_back({by.stage, by.rule, each.count});
  }
  return edits;
}

std::string RowStore::json(const RowRecord& record) const {
  const File& file = files_[record.file];
  std::string out(record.size, '\0');
  if (file.input == nullptr || record.edits > 0) {
    spool_.read(record.offset, out.data(), out.size());
    return out;
  }
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t got = ::pread(file.input->fd(), out.data() + done, out.size() - done,
                                record.offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(ErrorKind::data, file.name + ":" + std::to_string(record.line),
           got == 0 ? "the file was cut short while it was read" : std::strerror(errno),
           "leave the file as it is until the run ends, and begin again");
    }
    done += static_cast<std::size_t>(got);
  }
  return out;
}

RowStore::Saved RowStore::save(const fs::path& folder) {
  records_.copy_to(folder / kRecords);
  spool_.link_to(folder / kSpool);
  return {size_, spool_.size(), sha256_file(folder / kRecords), rules_};
}

bool RowStore::load(const fs::path& folder, const Saved& saved) {
  CUPEL_ASSERT(size_ == 0);
  const fs::path records = folder / kRecords, spool = folder / kSpool;
  std::error_code missing;
  const auto is_whole = [&](const fs::path& path, int64_t bytes) {
    const std::uintmax_t size = fs::file_size(path, missing);
    return !missing && bytes >= 0 && size >= static_cast<std::uintmax_t>(bytes);
  };
  if (!is_whole(records, saved.rows * kRecordBytes) || !is_whole(spool, saved.spool_bytes) ||
      saved.rules.empty() || sha256_file(records) != saved.records_sha256)
    return false;
  records_.copy_from(records, saved.rows * kRecordBytes);
  spool_.adopt(spool, saved.spool_bytes);
  rules_ = saved.rules;
  size_ = saved.rows;
  return true;
}

uint16_t RowStore::rule_number(std::string_view stage, std::string_view rule) {
  const auto found = std::find_if(rules_.begin() + 1, rules_.end(), [&](const Rule& known) {
    return known.stage == stage && known.rule == rule;
  });
  if (found == rules_.end()) {
    CUPEL_ASSERT(rules_.size() < UINT16_MAX);
    rules_.push_back({std::string(stage), std::string(rule)});
    return static_cast<uint16_t>(rules_.size() - 1);
  }
  return static_cast<uint16_t>(found - rules_.begin());
}

}  // namespace cupel::curate
