#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "compress/recover.h"
#include "compress/rows.h"
#include "compress/small_task.h"
#include "nn/classifier.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

class RecoverClassifier : public testing::Test {
 protected:
  RecoverClassifier() {
    cupel::Run run({});
    rows_.push_back({read_rows(task_.data(), Tokenizer::load(task_.model()),
                               nn::read_classifier_config(task_.model()), run)});
    config_.label_weight = 0;
    config_.learning_rate = 1e-3;
    config_.micro_batch_size = 8;
  }

  /// The model with noise on its weights.
  nn::ClassifierModel spoiled() const {
    nn::ClassifierModel model = nn::read_classifier_model(task_.model());
    Rng rng(4, "noise");
    for (const std::string& name : nn::linear_names(1))
      for (float& value : model.at(name + ".weight"))
        value += static_cast<float>(0.1 * rng.normal());
    return model;
  }

  double recover(nn::ClassifierModel& student, int64_t steps, int64_t qat_from,
                 const std::string& folder, bool resume = false) {
    cupel::Run run({.folder = task_ / folder, .seed = 3, .threads = 2, .resume = resume});
    return recover_classifier(student, {config_, task_.model(), rows_, steps, qat_from, 32}, run);
  }

  /// Mean squared difference of the logits from the teacher's.
  double distance(const nn::ClassifierModel& student, nn::EncoderPrecision precision) const {
    const std::filesystem::path folder = task_ / "student";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    nn::write_classifier_model(folder, student);
    ThreadPool pool(1);
    std::vector<const std::vector<int32_t>*> texts;
    for (const nn::ClassifiedRow& row : rows_[0].rows) texts.push_back(&row.ids);
    const auto exact = nn::Classifier::load(task_.model()).logits(texts, pool);
    const auto now = nn::Classifier::load(folder, precision).logits(texts, pool);
    double sum = 0;
    for (std::size_t i = 0; i < exact.size(); ++i)
      sum += static_cast<double>((exact[i] - now[i]) * (exact[i] - now[i]));
    return sum / static_cast<double>(exact.size());
  }

  SmallTask task_{48};
  std::vector<nn::RowSet> rows_;
  RecoverConfig config_;
};

TEST_F(RecoverClassifier, LearnsTheTeachersAnswersBack) {
  nn::ClassifierModel student = spoiled();
  const double before = distance(student, nn::EncoderPrecision::fp32);
  recover(student, 100, 100, "run");
  EXPECT_LT(distance(student, nn::EncoderPrecision::fp32), 0.2 * before);
}

TEST_F(RecoverClassifier, UnderCodesLearnsToAnswerWithThem) {
  nn::ClassifierModel exact = spoiled(), coded = spoiled();
  recover(exact, 300, 300, "exact");
  recover(coded, 300, 100, "coded");
  EXPECT_LT(distance(coded, nn::EncoderPrecision::w4a8),
            distance(exact, nn::EncoderPrecision::w4a8));
}

TEST_F(RecoverClassifier, ARunThatWasKilledBehindItsLastStepLeavesTheSameModel) {
  nn::ClassifierModel whole = spoiled(), resumed = spoiled();
  recover(whole, 30, 10, "run");  // its last checkpoint is that of its last step
  recover(resumed, 30, 10, "run", /*resume=*/true);
  EXPECT_EQ(resumed.tensors, whole.tensors);
}

TEST_F(RecoverClassifier, ATeacherOfOtherClassesIsRefused) {
  nn::ClassifierModel student = spoiled();
  student.config.labels.back() = "another";
  EXPECT_THAT([&] { recover(student, 4, 4, "run"); },
              throws_error(ErrorKind::config, "as a teacher it differs from the model in classes"));
}

}  // namespace
}  // namespace cupel::compress
