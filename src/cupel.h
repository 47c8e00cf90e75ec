// Table of contents of the library: one include a module, all of them without LibTorch.
#pragma once

// base: settings, errors, runs, random numbers, threads, statistics
#include "base/config.h"
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "base/error.h"
#include "base/json.h"
#include "base/linalg.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/run.h"
#include "base/stats.h"
#include "base/view.h"
// data: how it enters, tokenizers, model files, the seams of language models
#include "data/arithmetic.h"
#include "data/blackbox.h"
#include "data/card_transactions.h"
#include "data/cb4.h"
#include "data/corpus.h"
#include "data/idx.h"
#include "data/ngram.h"
#include "data/raw_rows.h"
#include "data/read.h"
#include "data/safetensors.h"
#include "data/table.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/wordpiece.h"
// kernels: fast inner loops, chosen at run time
#include "kernels/dispatch.h"
#include "kernels/kernels.h"
// nn: the training loop's settings, the shapes of models, the sentence encoder
#include "nn/classifier.h"
#include "nn/conv_net.h"
#include "nn/encoder.h"
#include "nn/fit.h"
#include "nn/llm/config.h"
#include "nn/llm/families.h"
#include "nn/precision.h"
// curate: a corpus filtered, with a reason for every row
#include "curate/curate.h"
#include "curate/explain.h"
// augment: tables moved against the network that learns them
#include "augment/attack.h"
#include "augment/augment.h"
#include "augment/fit.h"
#include "augment/metrics.h"
// train: a language model from text or instructions
#include "train/dataset.h"
#include "train/train.h"
// compress: models pruned and stored in 4-bit codes
#include "compress/compress.h"
#include "compress/conv_prune.h"
#include "compress/gptq.h"
#include "compress/prune.h"
// pipeline: recipes, verbs, whole runs
#include "pipeline/execute.h"
#include "pipeline/recipe.h"
#include "pipeline/verbs.h"
