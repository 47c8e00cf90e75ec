#include "train/texts.h"

#include <cmath>
#include <memory>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/error.h"
#include "data/arithmetic.h"
#include "data/chat_rows.h"
#include "data/grammar.h"
#include "data/read.h"
#include "data/split.h"

namespace cupel::train {
namespace {

/// What reading a set needs; the lambdas of text_sets() share it.
struct Place {
  DatasetConfig set;
  double share = 0;        // held out
  uint64_t generated = 0;  // its number among the generated sets: each has texts of its own
  Run* run = nullptr;
};

/// Documents of running text, in order.
using Documents = std::function<void(const std::function<void(Document&&)>&)>;

/// How many there are and their bytes: what a share of them is reckoned from.
struct Extent {
  int64_t documents = 0, bytes = 0;
};

Extent measure(const Documents& documents) {
  Extent extent;
  documents([&](Document&& document) {
    ++extent.documents;
    extent.bytes += static_cast<int64_t>(document.text.size());
  });
  return extent;
}

int64_t kept_bytes(double share, int64_t bytes) {
  return std::llround((1 - share) * static_cast<double>(bytes));
}

/// As split_running_text() splits them.
void split_documents(const Documents& documents, double share, std::optional<Extent>& extent,
                     const TextTaker& taker) {
  if (share > 0 && !extent) extent = measure(documents);
  const int64_t kept = share > 0 ? kept_bytes(share, extent->bytes) : INT64_MAX;
  int64_t read = 0;
  documents([&](Document&& document) {
    if (share > 0 && extent->documents == 1) {
      TextSplit split = split_running_text({std::move(document.text)}, share);
      taker.text({"", std::move(split.kept[0]), document.line}, false);
      return taker.text({"", std::move(split.held_out[0]), document.line}, true);
    }
    read += static_cast<int64_t>(document.text.size());
    taker.text({"", std::move(document.text), document.line}, read > kept);
  });
}

void split_text_file(const Place& place, const TextTaker& taker) {
  const TextFile file(place.set.path.text, stop_poll(*place.run));
  const int64_t cut =
      place.share > 0 ? file.cut_near(kept_bytes(place.share, file.bytes())) : file.bytes();
  const auto read = [&](int64_t begin, int64_t end, bool held_out) {
    file.for_each_part(begin, end, taker.cut, [&](TextPart&& part) {
      taker.text({"", std::move(part.text), 1, {}, part.begins, part.ends}, held_out);
    });
  };
  read(0, cut, false);
  if (place.share > 0) read(cut, file.bytes(), true);
}

void pass_on(const std::vector<Reject>& rejects, const TextTaker& taker) {
  if (!taker.reject) return;
  for (const Reject& reject : rejects) taker.reject(reject);
}

void read_documents(const Place& place, std::optional<Extent>& extent, const TextTaker& taker) {
  if (is_text_file(place.set.path.text)) return split_text_file(place, taker);
  CorpusOptions options;
  options.read = {place.set.split, place.set.columns};
  options.text_field = place.set.text_field;
  options.poll = stop_poll(*place.run);
  std::vector<Reject> rejects;
  const Documents documents = [&](const std::function<void(Document &&)>& take) {
    rejects.clear();
    for_each_document(place.set.path.text, options, take, &rejects);
  };
  split_documents(documents, place.share, extent, taker);
  pass_on(rejects, taker);
}

void take_row(Text&& text, double share, const TextTaker& taker) {
  const bool held_out = text.chat ? is_held_out(shown(text), "", share)
                                  : is_held_out(text.context, text.target, share);
  taker.text(std::move(text), held_out);
}

std::optional<RowProblem> read_completion(const json::Value& row, const DatasetConfig& set,
                                          Text& text) {
  const auto field = [&](const std::string& name, std::string& out) -> std::optional<RowProblem> {
    const json::Value* value = row.find(name);
    if (value == nullptr || !value->is_string())
      return RowProblem{"missing_field", "field \"" + name + "\": missing or no text"};
    out = value->as_string(name);
    return std::nullopt;
  };
  if (auto problem = field(set.prompt_field, text.context)) return problem;
  return field(set.completion_field, text.target);
}

ChatForm form_of(DatasetType type) {
  switch (type) {
    case DatasetType::messages:
      return ChatForm::messages;
    case DatasetType::sharegpt:
      return ChatForm::sharegpt;
    case DatasetType::alpaca:
      return ChatForm::alpaca;
    case DatasetType::prompt_completion:
      return ChatForm::prompt_completion;
    case DatasetType::query_response:
      return ChatForm::query_response;
    default:
      return ChatForm::detect;
  }
}

void read_rows(const Place& place, const TextTaker& taker) {
  const DatasetConfig& set = place.set;
  const ChatRowOptions chats{form_of(set.type), set.field_messages, set.message_property_mappings};
  const auto poll = stop_poll(*place.run);
  std::vector<Reject> rejects;
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    poll();
    Text text;
    text.line = line;
    const std::optional<RowProblem> problem = is_chat(set.type)
                                                  ? read_chat_row(row, chats, text.chat.emplace())
                                                  : read_completion(row, set, text);
    if (!problem) take_row(std::move(text), place.share, taker);
    return problem;
  };
  for_each_row(set.path.text, {set.split, set.columns}, take, &rejects);
  pass_on(rejects, taker);
}

void generate_arithmetic(const Place& place, const TextTaker& taker) {
  constexpr int64_t kAtOnce = 4096;
  Rng rng = place.run->stream("arithmetic problems", place.generated);
  const auto poll = stop_poll(*place.run);
  int64_t line = 0;
  while (line < place.set.rows) {
    poll();
    for (Problem& problem : generate_problems(rng, std::min(kAtOnce, place.set.rows - line), {}))
      take_row({std::move(problem.prompt), std::move(problem.completion), ++line}, place.share,
               taker);
  }
}

/// Of one language for each set.
void generate_documents(const Place& place, std::optional<Extent>& extent, const TextTaker& taker) {
  constexpr int64_t kDocumentBytes = 2000;
  const auto poll = stop_poll(*place.run);
  const Documents documents = [&](const std::function<void(Document &&)>& take) {
    Rng words = place.run->stream("grammar words", place.generated),
        rng = place.run->stream("grammar text", place.generated);
    const Grammar grammar(words, {});
    for (int64_t line = 1; line <= place.set.rows; ++line) {
      poll();
      take({{}, grammar.document(rng, kDocumentBytes), line});
    }
  };
  split_documents(documents, place.share, extent, taker);
}

std::function<void(const TextTaker&)> reader_of(const Place& place) {
  const auto extent = std::make_shared<std::optional<Extent>>();  // is reckoned once
  switch (place.set.type) {
    case DatasetType::text:
      return [=](const TextTaker& taker) { read_documents(place, *extent, taker); };
    case DatasetType::grammar:
      return [=](const TextTaker& taker) { generate_documents(place, *extent, taker); };
    case DatasetType::arithmetic:
      return [=](const TextTaker& taker) { generate_arithmetic(place, taker); };
    default:
      return [=](const TextTaker& taker) { read_rows(place, taker); };
  }
}

/// Everything that its texts and their parts depend on.
std::string identity_of(const Place& place, const std::string& hash) {
  json::Value all = to_json(place.set);
  all.set("path", std::filesystem::path(place.set.path.text).filename().string());
  all.set("weight", nullptr);
  all.set("sha256", hash);
  all.set("val_set_size", place.share);
  if (is_generated(place.set.type)) {
    all.set("seed", std::to_string(place.run->seed()));
    all.set("number", static_cast<int64_t>(place.generated));
  }
  return sha256(json::dump(all));
}

}  // namespace

std::function<void()> stop_poll(const Run& run) {
  return [&run] { run.stop_if_asked(); };
}

std::string shown(const Text& text) {
  return text.chat ? json::dump(json::Value(text.chat->messages)) : text.context + text.target;
}

std::string words_of(const Text& text) {
  if (!text.chat) return text.context + text.target;
  std::string out;
  for (const json::Value& message : text.chat->messages) {
    const json::Value* content = message.find("content");
    if (content != nullptr && content->is_string()) out += content->as_string("content") + "\n";
  }
  return out;
}

std::vector<TextSet> text_sets(const Config& config, Run& run) {
  std::vector<TextSet> sets;
  uint64_t generated = 0;
  for (const DatasetConfig& source : config.datasets) {
    Place place{source, config.val_set_size, 0, &run};
    TextSet set;
    set.weight = source.weight;
    set.input = source.path.text;
    set.excess = config.excess_length_strategy;
    // A problem that was generated too long is nobody's loss.
    if (source.type == DatasetType::arithmetic && !set.excess) set.excess = ExcessLength::drop;
    std::string hash;
    if (is_generated(source.type)) {
      place.generated = generated++;
      set.input = "train.datasets[" + std::to_string(sets.size()) + "]";
    } else {
      run.record_input(source.path.text);
      // A folder is refused by whoever reads it.
      if (!std::filesystem::is_directory(source.path.text)) hash = sha256_file(source.path.text);
    }
    set.chats = is_chat(source.type);
    if (set.chats) set.roles = source.roles_to_train;
    if (source.type != DatasetType::text && source.type != DatasetType::grammar)
      set.cut = config.sample_packing ? Cut::packed : Cut::single;
    set.read = reader_of(place);
    set.identity = identity_of(place, hash);
    sets.push_back(std::move(set));
  }
  return sets;
}

void read_texts(const TextSet& set, const TextTaker& taker) {
  bool any = false;
  TextTaker watched = taker;
  watched.text = [&](Text&& text, bool held_out) {
    any = any || !held_out;
    taker.text(std::move(text), held_out);
  };
  set.read(watched);
  if (!any) {
    fail(ErrorKind::data, set.input, "nothing is left to train on",
         "lower val_set_size or add rows");
  }
}

}  // namespace cupel::train
