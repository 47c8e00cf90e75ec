// The Parquet plug-in: Apache Arrow behind the one function of data/parquet_plugin.h.
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "data/parquet_plugin.h"

namespace {

/// A few bytes of a file can ask for any amount of memory.
arrow::MemoryPool* memory() {
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  static arrow::CappedMemoryPool pool(arrow::default_memory_pool(), kMostBytes);
  return &pool;
}

/// Batches of a file that stays open as long as they are read.
class FileBatches : public arrow::RecordBatchReader {
 public:
  static arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> open(const std::string& path,
                                                                       int64_t batch_rows) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(batch_rows);
    properties.set_pre_buffer(false);  // else a whole row group is in memory at once
    parquet::ReaderProperties reading(memory());
    reading.enable_buffered_stream();
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), reading));
    auto reader = std::make_shared<FileBatches>();
    ARROW_ASSIGN_OR_RAISE(reader->file_,
                          builder.memory_pool(memory())->properties(properties)->Build());
    ARROW_ASSIGN_OR_RAISE(reader->batches_, reader->file_->GetRecordBatchReader());
    return reader;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    try {  // no exception may leave through the C interface
      ARROW_RETURN_NOT_OK(batches_->ReadNext(batch));
      return *batch == nullptr ? arrow::Status::OK() : (*batch)->Validate();
    } catch (const std::exception& error) {
      return arrow::Status::Invalid(error.what());
    }
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

arrow::Status open_stream(const char* path, int64_t batch_rows, ArrowArrayStream* out) {
  try {
    ARROW_ASSIGN_OR_RAISE(auto reader, FileBatches::open(path, batch_rows));
    return arrow::ExportRecordBatchReader(std::move(reader), out);
  } catch (const std::exception& error) {
    return arrow::Status::Invalid(error.what());
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int cupel_parquet_open(const char* path,
                                                                         int64_t batch_rows,
                                                                         ArrowArrayStream* out,
                                                                         char* error,
                                                                         std::size_t error_size) {
  const arrow::Status status = open_stream(path, batch_rows, out);
  if (status.ok()) return 0;
  std::snprintf(error, error_size, "%s", status.message().c_str());
  return 1;
}
