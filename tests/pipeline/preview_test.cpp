#include "pipeline/preview.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

constexpr const char* kRows =
    "{\"prompt\": \"ab\", \"completion\": \"cd\"}\n{\"prompt\": \"ef\", \"completion\": \"gh\"}\n"
    "{\"prompt\": \"no completion\"}\n";

PreviewReport preview_of(const std::string& settings, int64_t sequences = 1) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("rows.jsonl", kRows);
  return preview(
      {.sequences = sequences},
      request_for(folder, "preview",
                  "train:\n  model: {}\n  tokenizer: {vocab_size: 257}\n"
                  "  val_set_size: 0\n  datasets: [{path: rows.jsonl, type: completion}]\n" +
                      settings));
}

std::string pieces(const PreviewSequence& sequence, bool learned) {
  std::string out;
  for (const PreviewToken& token : sequence.tokens)
    if (token.learned == learned) out += token.piece;
  return out;
}

TEST(Preview, LabelsAreTheCompletionsAndTheirEnd) {
  const PreviewReport report = preview_of("  sequence_len: 16\n");
  ASSERT_EQ(report.sequences.size(), 1u);
  EXPECT_EQ(pieces(report.sequences[0], true), "cd<|endoftext|>gh<|endoftext|>");
  EXPECT_EQ(pieces(report.sequences[0], false), "abef");
  EXPECT_EQ(report.rejected, 1);
}

TEST(Preview, EveryDocumentBeginsOnceAndPaddingIsLeftOut) {
  const PreviewReport report = preview_of("  sequence_len: 16\n");
  const auto& tokens = report.sequences.at(0).tokens;
  EXPECT_EQ(tokens.size(), 10u);
  EXPECT_EQ(std::count_if(tokens.begin(), tokens.end(), [](const auto& t) { return t.begins; }), 2);
}

TEST(Preview, TheTextMarksWhatIsReadButNotLearned) {
  EXPECT_THAT(preview_of("  sequence_len: 16\n").text(),
              HasSubstr("‖[a|b]|c|d|<|endoftext|>‖[e|f]|g|h|<|endoftext|>\n"));
}

TEST(Preview, IdsAndColoursAreShownWhereAskedFor) {
  PreviewReport report = preview_of("  sequence_len: 16\n");
  report.shown.ids = true;
  EXPECT_THAT(report.text(), HasSubstr("[a·65|b·66]|c·67|d·68|<|endoftext|>·0"));
  report.shown.colours = true;
  EXPECT_THAT(report.text(), HasSubstr("\x1b[2ma·65\x1b[0m|"));
  EXPECT_THAT(report.text(), HasSubstr("\x1b[32mc·67\x1b[0m"));
}

TEST(Preview, ShowsAsManySequencesAsAsked) {
  EXPECT_EQ(preview_of("  sequence_len: 5\n", 4).sequences.size(), 4u);
}

}  // namespace
}  // namespace cupel::pipeline
