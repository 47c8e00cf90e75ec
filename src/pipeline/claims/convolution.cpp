#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compress/conv_prune.h"
#include "data/idx.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"

namespace cupel::pipeline::claims {
namespace {

struct ConvolutionClaim {
  std::string data_set, images, labels;
  int64_t folds = 5;
  std::vector<int64_t> channels = {16, 32, 64};
  double prune_ratio = 0.4;
  double num_epochs = 8;
  double recover_epochs = 4;
  double learning_rate = 2e-3;
  static constexpr auto fields() {
    using C = ConvolutionClaim;
    return std::tuple{
        Field{"data_set", &C::data_set, "folder below CUPEL_DATA"},
        Field{"images", &C::images, "its idx file of images"},
        Field{"labels", &C::labels, "its idx file of their classes"},
        Field{"folds", &C::folds, "parts, one of which each random seed measures on", 2, 1000},
        Field{"channels", &C::channels, "of each convolution; all but the last pool", 2, 4096},
        Field{"prune_ratio", &C::prune_ratio, "share of channels that goes", 0.01, 0.99},
        Field{"num_epochs", &C::num_epochs, "passes over the images", 0.01, 1e4},
        Field{"recover_epochs", &C::recover_epochs, "passes after pruning", 0.01, 1e4},
        Field{"learning_rate", &C::learning_rate, "peak, half of it after pruning", 0, 1}};
  }
};

struct Images {
  std::vector<float> pixels;
  std::vector<int64_t> labels;
  nn::ImageRows rows() const { return {pixels, labels}; }
};

/// The fold of image i is i % folds.
void deal(const LabelledImages& from, uint64_t folds, uint64_t fold, Images& learned,
          Images& measured) {
  const auto size = static_cast<std::size_t>(from.height * from.width);
  for (std::size_t i = 0; i < from.labels.size(); ++i) {
    Images& to = i % folds == fold ? measured : learned;
    to.labels.push_back(from.labels[i]);
    for (std::size_t p = 0; p < size; ++p)
      to.pixels.push_back(static_cast<float>(from.pixels[i * size + p]) / 255);
  }
}

double percent_right(const std::vector<float>& logits, const std::vector<int64_t>& labels) {
  const std::size_t classes = logits.size() / labels.size();
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto best = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row;
    right += best == labels[i] ? 1 : 0;
  }
  return 100 * static_cast<double>(right) / static_cast<double>(labels.size());
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}

double smallest_share(const std::vector<compress::PrunedLayer>& pruned) {
  double least = 1;
  for (const compress::PrunedLayer& layer : pruned)
    least = std::min(least, 1 - static_cast<double>(layer.kept.size()) /
                                    static_cast<double>(layer.importance.size()));
  return least;
}

}  // namespace

ClaimValues convolution(const ClaimContext& context) {
  const nn::ConvNetFunctions& heavy = context.heavy.conv_net;
  CUPEL_ASSERT(heavy.fit != nullptr && heavy.logits != nullptr);
  const auto settings = context.settings<ConvolutionClaim>();
  const auto folder = required_data_set(settings.data_set, context.claim.id + ".yaml");
  const LabelledImages all =
      read_labelled_images(folder / settings.images, folder / settings.labels);
  const auto folds = static_cast<uint64_t>(settings.folds);
  Images learned, measured;
  deal(all, folds, context.seed % folds, learned, measured);
  std::vector<nn::ConvShape> shapes;
  for (const int64_t channels : settings.channels)
    shapes.push_back({channels, 3, shapes.size() + 1 < settings.channels.size()});
  const int64_t classes = 1 + *std::ranges::max_element(all.labels);
  const auto right = [&](const nn::ConvNet& net) {
    return percent_right(heavy.logits(net, measured.pixels, context.run), measured.labels);
  };

  nn::ConvNet whole = nn::make_conv_net(1, all.height, all.width, shapes, classes,
                                        context.run.stream("weights", context.seed));
  nn::ConvFitConfig fit{.num_epochs = settings.num_epochs, .learning_rate = settings.learning_rate};
  NestedRun training(context, "train", to_json(settings));
  heavy.fit(whole, nullptr, learned.rows(), fit, training.run());
  nn::ConvNet masked = whole, narrow = whole;
  const auto pruned = compress::structured_prune(narrow, settings.prune_ratio);
  compress::mask_channels(masked, pruned);
  const std::vector<float> cut = heavy.logits(narrow, measured.pixels, context.run);
  const double difference =
      largest_difference(cut, heavy.logits(masked, measured.pixels, context.run));
  fit.num_epochs = settings.recover_epochs;
  fit.learning_rate = settings.learning_rate / 2;
  NestedRun recovery(context, "recover", to_json(settings));
  heavy.fit(narrow, &whole, learned.rows(), fit, recovery.run());

  const double before = right(whole);
  ClaimValues values;
  values["accuracy_drop_points"] = {before - right(narrow), {}, before};
  values["accuracy_drop_points_pruned"] = {
      before - percent_right(cut, measured.labels), {}, before};
  values["pruned_share"] = {smallest_share(pruned)};
  values["parameters_ratio"] = {
      static_cast<double>(whole.parameters()) / static_cast<double>(narrow.parameters()),
      {},
      static_cast<double>(whole.parameters())};
  values["mask_difference"] = {difference};
  return values;
}

}  // namespace cupel::pipeline::claims
