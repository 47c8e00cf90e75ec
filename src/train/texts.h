// Data sets of a recipe as texts that are read one by one, as often as they are needed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "data/chat_template.h"
#include "data/text_file.h"
#include "train/sequences.h"
#include "train/train.h"

namespace cupel::train {

/// A document before tokens: what is read but not learned, and what is learned; or a chat.
struct Text {
  std::string context, target;
  int64_t line = 0;  // in the set's input, from 1
  std::optional<Chat> chat{};
  bool begins = true, ends = true;  // of a long document: which of its parts this is
};

/// Gets the texts of a set, in order.
struct TextTaker {
  std::function<void(Text&&, bool held_out)> text;
  std::function<void(const Reject&)> reject;  // of rows that cannot be read; may be empty
  CutPlace cut{};  // where a long document may be cut in parts; empty: nowhere
};

/// One data set. Of running text the last val_set_size is held out, a single document being cut at
/// a line end; of rows those whose hash falls into the share, so that a row never changes sides.
struct TextSet {
  std::function<void(const TextTaker&)> read;
  std::string input;  // the file, as rejects name it
  Cut cut = Cut::windows;
  double weight = 1;
  std::vector<std::string> roles = {};  // of a chat, whose turns are learned
  std::optional<ExcessLength> excess = {};
  bool chats = false;         // its texts are chats
  std::string identity = {};  // the same for the same texts: hashes of what they are read from
};

/// The data sets; their files are recorded as inputs of the run, and nothing is read yet. Reading
/// throws what read_corpus() and for_each_row() throw, and Interrupted when `run` is asked to stop.
/// Throws Error{config} for a missing file.
std::vector<TextSet> text_sets(const Config& config, Run& run);

/// Reads all of a set. Throws Error{data} where nothing is left to train on.
void read_texts(const TextSet& set, const TextTaker& taker);

/// What a long reader calls now and then.
std::function<void()> stop_poll(const Run& run);

/// A row as a reject shows it.
std::string shown(const Text& text);

/// What a tokenizer learns words from.
std::string words_of(const Text& text);

}  // namespace cupel::train
