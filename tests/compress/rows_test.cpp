#include "compress/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "compress/small_task.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

std::vector<nn::ClassifiedRow> rows_in(const SmallTask& task, const DataConfig& data,
                                       cupel::Run& run) {
  return read_rows(data, Tokenizer::load(task.model()), nn::read_classifier_config(task.model()),
                   run);
}

TEST(CompressRows, AreTokensAndClassesOfTheModel) {
  const SmallTask task(8);
  cupel::Run run({});
  const auto rows = rows_in(task, task.data(), run);
  ASSERT_EQ(rows.size(), 8u);
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].label, static_cast<int64_t>(i % 4));
  EXPECT_GE(rows[0].ids.size(), 3u) << "what stands around a text is there";
  DataConfig few = task.data();
  few.rows = 3;
  EXPECT_EQ(rows_in(task, few, run).size(), 3u);
}

TEST(CompressRows, OfUnknownClassesAreRejected) {
  const SmallTask task(4);
  write_file_atomically(task / "texts.jsonl",
                        "{\"text\":\"the cat\",\"label\":\"praise\"}\n"
                        "{\"text\":\"the dog\",\"label\":\"other\"}\n");
  cupel::Run run({.folder = task / "run"});
  EXPECT_EQ(rows_in(task, task.data(), run).size(), 1u);
  EXPECT_EQ(run.rejected(), 1);
  write_file_atomically(task / "texts.jsonl", "{\"text\":\"the dog\",\"label\":\"other\"}\n");
  EXPECT_THAT([&] { rows_in(task, task.data(), run); },
              throws_error(ErrorKind::data, "no row has a class that the model knows"));
}

}  // namespace
}  // namespace cupel::compress
