#include "compress/calibrate.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/error.h"
#include "compress/rows.h"
#include "compress/small_task.h"

namespace cupel::compress {
namespace {

std::vector<nn::ClassifiedRow> calibration_rows(const SmallTask& task) {
  cupel::Run run({});
  return read_rows(task.data(), Tokenizer::load(task.model()),
                   nn::read_classifier_config(task.model()), run);
}

TEST(LayerCalibration, HasTheMomentsOfEachSiteAndAConstant) {
  const SmallTask task(20);
  const auto rows = calibration_rows(task);
  int64_t tokens = 0;
  for (const nn::ClassifiedRow& row : rows) tokens += static_cast<int64_t>(row.ids.size());
  cupel::Run run({});
  const Calibration plain(task.model(), rows,
                          {nn::EncoderSite::query_key_value, nn::EncoderSite::down}, false, run);
  EXPECT_EQ(plain.at(1, nn::EncoderSite::query_key_value).upper().rows, 64);
  EXPECT_EQ(plain.at(0, nn::EncoderSite::down).upper().rows, 128);
  EXPECT_EQ(plain.at(0, nn::EncoderSite::down).rows(), tokens);
  EXPECT_THROW(plain.at(0, nn::EncoderSite::up), std::out_of_range);
  const Calibration extended(task.model(), rows, {nn::EncoderSite::down}, true, run);
  const View<const double> sum = extended.at(0, nn::EncoderSite::down).upper();
  ASSERT_EQ(sum.rows, 129);
  EXPECT_DOUBLE_EQ(sum(128, 128), 2.0 * static_cast<double>(tokens));
  EXPECT_DOUBLE_EQ(sum(5, 7), plain.at(0, nn::EncoderSite::down).upper()(5, 7));
}

TEST(LayerCalibration, StopsWhenAsked) {
  const SmallTask task(20);
  const std::atomic<bool> stop = true;
  cupel::Run run({.stop = &stop});
  EXPECT_THROW(
      Calibration(task.model(), calibration_rows(task), {nn::EncoderSite::down}, false, run),
      Interrupted);
}

}  // namespace
}  // namespace cupel::compress
