// Prunes two fifths of the channels of every Conv2D and lets the narrow network learn back what it
// lost, from the library. In the root of the repository: build/release/examples/structured_prune
// FOLDER
#include <cupel/cupel.h>

#include <cstdio>
#include <exception>

using namespace cupel;

namespace {

/// Images of 8 x 8 with noise: a bright row is of class 0, a bright column of class 1.
struct Stripes {
  Stripes(int count, Rng rng) {
    for (int i = 0; i < count; ++i) {
      labels.push_back(i % 2);
      const auto line = static_cast<int>(rng.below(8));
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x)
          pixels.push_back(
              static_cast<float>(((i % 2 == 0 ? y : x) == line ? 1.0 : 0.0) + 0.4 * rng.normal()));
    }
  }
  std::vector<float> pixels;
  std::vector<int64_t> labels;
};

double share_right(const nn::ConvNet& net, const Stripes& stripes, Run& run) {
  const std::vector<float> logits = nn::conv_net_logits(net, stripes.pixels, run);
  double right = 0;
  for (std::size_t i = 0; i < stripes.labels.size(); ++i)
    right += (logits[2 * i + 1] > logits[2 * i]) == (stripes.labels[i] == 1) ? 1 : 0;
  return right / static_cast<double>(stripes.labels.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: structured_prune FOLDER\n");
    return 2;
  }
  try {
    RunOptions options;
    options.folder = argv[1];
    options.seed = 1;
    Run run(options);
    const Stripes learned(2000, run.stream("learned")), measured(1000, run.stream("measured"));
    const nn::ConvShape shapes[] = {{10, 3, true}, {20, 3, false}};
    nn::ConvNet net = nn::make_conv_net(1, 8, 8, shapes, 2, run.stream("weights"));
    nn::fit_conv_net(net, nullptr, {learned.pixels, learned.labels}, {.num_epochs = 6}, run);

    nn::ConvNet narrow = net;
    compress::structured_prune(narrow, 0.4);
    const double whole = share_right(net, measured, run), cut = share_right(narrow, measured, run);
    Run recovery({.folder = run.folder() / "recover", .seed = 1});
    nn::fit_conv_net(narrow, &net, {learned.pixels, learned.labels}, {.num_epochs = 3}, recovery);
    const double back = share_right(narrow, measured, run);

    run.finish("compress", json::Object{{"accuracy", back}});
    std::printf("%lld weights answer %.3f right; of %lld, %.3f at once and %.3f after recovery\n",
                static_cast<long long>(net.parameters()), whole,
                static_cast<long long>(narrow.parameters()), cut, back);
    return back > whole - 0.02 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
