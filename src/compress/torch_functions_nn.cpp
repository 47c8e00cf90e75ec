#include "compress/torch_functions_nn.h"

#include <memory>

#include "compress/recover.h"
#include "nn/classifier_eager_nn.h"
#include "nn/device_nn.h"

namespace cupel::compress {

TorchFunctions torch_functions() {
  return {&recover_classifier, [](const std::filesystem::path& folder, int threads) -> TextScores {
            nn::use_threads(threads);
            const auto classifier =
                std::make_shared<nn::EagerClassifier>(nn::read_classifier_model(folder));
            return
                [classifier](const std::vector<int32_t>& ids) { return classifier->logits(ids); };
          }};
}

}  // namespace cupel::compress
