#include <gtest/gtest.h>

#include <cstdlib>

#include "pipeline/claims/protocols.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/idx_bytes.h"

namespace cupel::pipeline::claims {
namespace {

/// Ten images of 4 x 4 in two classes; training does nothing, the answer is the first pixel's.
struct ConvolutionBench {
  TemporaryFolder folder;
  Claim claim;
  Heavy heavy;
  cupel::Run run{{.folder = folder / "run", .threads = 1}};

  ConvolutionBench() {
    std::string pixels, labels;
    for (int i = 0; i < 10; ++i) {
      labels += static_cast<char>(i / 2 % 2);
      pixels += std::string(16, static_cast<char>(labels.back() * 255));
    }
    folder.write("data/images", idx_header({10, 4, 4}) + pixels);
    folder.write("data/labels", idx_header({10}) + labels);
    claim.id = "2.2_small";
    heavy.conv_net.fit = [](nn::ConvNet& net, const nn::ConvNet* teacher, const nn::ImageRows& rows,
                            const nn::ConvFitConfig&, cupel::Run&) {
      EXPECT_EQ(rows.labels.size(), 8u) << "a fold of two is left out";
      EXPECT_EQ(rows.pixels.size(), 8u * 16);
      EXPECT_EQ(teacher != nullptr, net.layers[0].out < 5) << "the whole network teaches";
      return 0.5;
    };
    heavy.conv_net.logits = [](const nn::ConvNet& net, std::span<const float> images, cupel::Run&) {
      std::vector<float> logits;
      for (std::size_t i = 0; i < images.size(); i += 16) {
        const float sure = net.layers[0].out < 5 ? -1.0f : 1.0f;  // the narrow one is always wrong
        logits.insert(logits.end(), {0.5f, sure * (images[i] - 0.5f) + 0.5f});
      }
      return logits;
    };
  }

  ClaimValues measure(const std::string& data_set) {
    claim.settings = yaml::parse(
        "data_set: " + data_set + "\nimages: images\nlabels: labels\nchannels: [5, 10]\n",
        "claim.yaml");
    setenv("CUPEL_DATA", folder.path().c_str(), 1);
    return convolution({claim, 1, folder / "claim", heavy, run});
  }
};

TEST(ConvolutionClaim, ComparesTheNarrowNetworkWithTheWholeOneOnAFoldThatWasNotLearned) {
  const ClaimValues values = ConvolutionBench().measure("data");
  EXPECT_EQ(values.at("accuracy_drop_points").value, 100);
  EXPECT_EQ(values.at("accuracy_drop_points").baseline, 100);
  EXPECT_EQ(values.at("pruned_share").value, 0.4) << "2 of 5 and 4 of 10";
  EXPECT_GT(values.at("parameters_ratio").value, 1.5);
}

TEST(ConvolutionClaim, NamesTheDataSetThatIsMissing) {
  EXPECT_THAT([] { ConvolutionBench().measure("nothing"); },
              throws_error(ErrorKind::config, "there is no data set \"nothing\""));
}

}  // namespace
}  // namespace cupel::pipeline::claims
