#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/inspect.h"

namespace cupel::pipeline::inspect {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(InspectText, ListsTensorsAndWhatIsLeftOut) {
  Report report{.kind = "weights", .path = "w.safetensors", .bytes = 2048};
  report.weights.emplace();
  report.weights->tensors = 1001;
  report.weights->parameters = 1234567;
  report.weights->parameters_by_dtype = {{"BF16", 1234567}};
  report.weights->first = {{"model.embed", "BF16", {512, 64}, 65536}, {"scale", "F32", {}, 4}};
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("w.safetensors: weights, 2 KiB\n"));
  EXPECT_THAT(text, HasSubstr("1,234,567"));
  EXPECT_THAT(text, HasSubstr("512 x 64"));
  EXPECT_THAT(text, HasSubstr("F32   scalar"));
  EXPECT_THAT(text, HasSubstr("… and 999 more"));
}

TEST(InspectText, ShowsTheShapeOfAModel) {
  Report report{.kind = "model", .path = "m"};
  report.config.emplace().vocab_size = 2048;
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("deepseek_v3"));
  EXPECT_THAT(text, HasSubstr("active a token"));
}

TEST(InspectText, HostileNamesCannotSpeakToTheTerminal) {
  Report report{.kind = "data", .path = "a\x1b[2Jb"};
  report.data.emplace();
  report.data->columns = {{"\x1b]0;x\x07", "text", 3}};
  report.data->first = {std::string(5000, 'x')};
  report.notes = {"bad \x1b note"};
  const std::string text = report.text();
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_LT(text.size(), 1000u);
  EXPECT_THAT(text, HasSubstr("note: bad   note"));
}

TEST(InspectText, ShowsTheFiguresOfARun) {
  Report report{.kind = "run", .path = "runs/x"};
  report.run.emplace();
  report.run->status = "stopped";
  report.run->figures = {{"train.val_loss", 1.5}};
  report.run->checkpoints = {10, 20};
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("stopped"));
  EXPECT_THAT(text, HasSubstr("step 10, step 20"));
  EXPECT_THAT(text, HasSubstr("train.val_loss"));
}

}  // namespace
}  // namespace cupel::pipeline::inspect
