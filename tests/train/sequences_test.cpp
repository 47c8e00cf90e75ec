#include "train/sequences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "support/errors.h"
#include "support/token_streams.h"

namespace cupel::train {
namespace {

using testing::ElementsAre;

TokenShards counting_stream(int32_t size) {
  std::vector<int32_t> ids(static_cast<std::size_t>(size));
  std::iota(ids.begin(), ids.end(), 0);
  return token_stream({{ids}});
}

/// Documents of the given sizes; ids are 100 * document + place, the first `context` tokens are not
/// learned.
TokenShards document_stream(const std::vector<int32_t>& sizes, std::size_t context,
                            int64_t capacity = 0) {
  std::vector<DocumentTokens> documents;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::vector<int32_t> ids(static_cast<std::size_t>(sizes[i]));
    std::iota(ids.begin(), ids.end(), static_cast<int32_t>(100 * i));
    documents.push_back({std::move(ids), context});
  }
  return token_stream(documents, 200000, capacity);
}

cupel::Run sequences_run(uint64_t seed) { return Run({.seed = seed, .threads = 1}); }

TEST(Sequences, WindowsCoverAStreamWithoutOverlap) {
  const TokenShards stream = counting_stream(11);
  const std::vector<Sequence> windows = cut_stream(stream, 0, Cut::windows, 5, 0);
  EXPECT_THAT(windows, ElementsAre(Sequence{0, 0, 5}, Sequence{0, 5, 5}));
}

TEST(Sequences, AWindowNeedsOneTokenMoreForItsLastLabel) {
  EXPECT_EQ(cut_stream(counting_stream(10), 0, Cut::windows, 5, 0).size(), 1u);
}

TEST(Sequences, PackingKeepsDocumentsWholeAndFillsSequences) {
  const TokenShards stream = document_stream({3, 2, 4, 6, 1}, 1);
  EXPECT_THAT(
      cut_stream(stream, 0, Cut::packed, 6, 0),
      ElementsAre(Sequence{0, 0, 5}, Sequence{0, 5, 4}, Sequence{0, 9, 6}, Sequence{0, 15, 1}));
}

TEST(Sequences, ADocumentThatIsTooLongIsLeftOut) {
  const TokenShards stream = document_stream({3, 9, 2}, 1);
  EXPECT_THAT(cut_stream(stream, 0, Cut::packed, 6, 0),
              ElementsAre(Sequence{0, 0, 3}, Sequence{0, 12, 2}));
}

TEST(Sequences, LabelsAreTheNextTokenOfTheSameDocumentIfItIsLearned) {
  const std::vector<Source> sources = {{document_stream({4, 3}, 2), Cut::packed, 1}};
  const std::vector<Sequence> packed = cut_stream(sources[0].stream, 0, Cut::packed, 8, 0);
  const SequenceBatch batch = make_batch(packed, sources, 8);
  EXPECT_THAT(batch.inputs, ElementsAre(0, 1, 2, 3, 100, 101, 102, 0));
  EXPECT_THAT(batch.labels, ElementsAre(-100, 2, 3, -100, -100, 102, -100, -100));
  EXPECT_THAT(batch.first, ElementsAre(0, 0, 0, 0, 4, 4, 4, 7));
  EXPECT_THAT(batch.positions, ElementsAre(0, 1, 2, 3, 0, 1, 2, 0));
  EXPECT_EQ(batch.labels_counted, 3);
  EXPECT_THAT(batch.row_lengths, ElementsAre(7));
}

TEST(Sequences, AWindowThatBeginsInsideADocumentStartsAtPositionZero) {
  const std::vector<Source> sources = {{counting_stream(20), Cut::windows, 1}};
  const std::vector<Sequence> windows = {{0, 7, 4}};
  const SequenceBatch batch = make_batch(windows, sources, 4);
  EXPECT_THAT(batch.inputs, ElementsAre(7, 8, 9, 10));
  EXPECT_THAT(batch.labels, ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(batch.first, ElementsAre(0, 0, 0, 0));
}

TEST(SequenceOrder, EveryEpochReadsEachPackedSequenceOnceInAnotherOrder) {
  const cupel::Run run = sequences_run(1);
  SequenceOrder order({{document_stream(std::vector<int32_t>(20, 4), 1), Cut::single, 1}}, 4, run);
  ASSERT_EQ(order.sequences_per_epoch(), 20);
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<int64_t> firsts;
    for (int64_t i = 0; i < 20; ++i) firsts.push_back(order.batch(epoch * 20 + i, 1).inputs[0]);
    EXPECT_EQ(std::set<int64_t>(firsts.begin(), firsts.end()).size(), 20u);
    epochs.push_back(firsts);
  }
  EXPECT_NE(epochs[0], epochs[1]);
}

TEST(SequenceOrder, ABatchIsAFunctionOfItsIndexAlone) {
  const cupel::Run run = sequences_run(7);
  const auto make = [&] {
    return SequenceOrder({{counting_stream(1000), Cut::windows, 1}}, 16, run);
  };
  SequenceOrder forward = make();
  std::map<int64_t, std::vector<int64_t>> seen;
  for (int64_t i = 0; i < 200; i += 4) seen[i] = forward.batch(i, 4).inputs;
  SequenceOrder jumping = make();
  for (int64_t i = 196; i >= 0; i -= 28)
    EXPECT_EQ(jumping.batch(i, 4).inputs, seen[i]) << "index " << i;
}

TEST(SequenceOrder, ASourceOfWeightTwoIsReadTwiceAnEpochAndOfWeightHalfByHalf) {
  const cupel::Run run = sequences_run(3);
  const auto documents = [](int count) {
    return document_stream(std::vector<int32_t>(static_cast<std::size_t>(count), 4), 1);
  };
  SequenceOrder order({{documents(10), Cut::single, 2}, {counting_stream(401), Cut::windows, 0.5}},
                      4, run);
  EXPECT_EQ(order.sequences_per_epoch(), 20 + 50);
}

TEST(SequenceOrder, RefusesDataThatFillNoSequence) {
  const cupel::Run run = sequences_run(3);
  EXPECT_THAT(
      [&] {
        SequenceOrder({{counting_stream(5), Cut::windows, 1}}, 16, run);
      },
      throws_error(ErrorKind::data,
                   "no data set fills one sequence of 16 tokens; lower sequence_len"));
}

TEST(Sequences, EmptyDocumentsShiftNoBorder) {
  const TokenShards stream = token_stream({{{1, 2}}, {}, {}, {{3, 4}}});
  const std::vector<Source> sources = {{stream, Cut::windows, 1}};
  const std::vector<Sequence> all = {{0, 0, 4}};
  const SequenceBatch batch = make_batch(all, sources, 4);
  EXPECT_THAT(batch.first, ElementsAre(0, 0, 2, 2));
  EXPECT_THAT(batch.labels, ElementsAre(2, -100, 4, -100));
}

TEST(Sequences, AreTheSameWhereverShardsEnd) {
  const std::vector<int32_t> sizes{3, 9, 2, 4, 1, 30, 5, 8};
  for (const Cut cut : {Cut::windows, Cut::packed, Cut::single}) {
    const auto rows = [&](int64_t capacity) {
      const std::vector<Source> sources = {{document_stream(sizes, 1, capacity), cut, 1}};
      return make_batch(cut_stream(sources[0].stream, 0, cut, 10, 0), sources, 10);
    };
    const SequenceBatch whole = rows(0);
    ASSERT_GT(whole.rows, 4);
    for (const int64_t capacity : {1, 2, 7, 10, 62}) {
      const SequenceBatch parts = rows(capacity);
      EXPECT_EQ(parts.inputs, whole.inputs);
      EXPECT_EQ(parts.labels, whole.labels);
      EXPECT_EQ(parts.first, whole.first);
      EXPECT_EQ(parts.positions, whole.positions);
    }
  }
}

TEST(SequenceOrder, ATextOfLittleMoreThanOneSequenceIsReadEachEpoch) {
  const cupel::Run run = sequences_run(3);
  SequenceOrder order({{counting_stream(20), Cut::windows, 1}}, 16, run);
  EXPECT_EQ(order.sequences_per_epoch(), 1);
  std::set<int64_t> begins;
  for (int64_t epoch = 0; epoch < 50; ++epoch) begins.insert(order.batch(epoch, 1).inputs[0]);
  EXPECT_THAT(begins, ElementsAre(0, 1, 2, 3));
}

TEST(SequenceOrder, ASmallWeightStillTakesOneSequence) {
  const cupel::Run run = sequences_run(3);
  const TokenShards rows = document_stream(std::vector<int32_t>(10, 4), 1);
  EXPECT_EQ(SequenceOrder({{rows, Cut::single, 0.001}, {rows, Cut::single, 0}}, 4, run)
                .sequences_per_epoch(),
            1);
}

TEST(SequenceOrder, RefusesWeightsThatMakeAnEpochOfTooManySequences) {
  const cupel::Run run = sequences_run(3);
  const TokenShards rows = document_stream(std::vector<int32_t>(1000, 4), 1);
  EXPECT_THAT(
      [&] {
        SequenceOrder({{rows, Cut::single, 1}, {rows, Cut::single, 1e6}}, 4, run);
      },
      throws_exactly(ErrorKind::config,
                     "[train.datasets[1].weight]: makes an epoch of more than 100000000 sequences; "
                     "lower it; num_epochs and max_steps repeat the data"));
}

}  // namespace
}  // namespace cupel::train
