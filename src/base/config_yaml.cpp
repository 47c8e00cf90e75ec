#include "base/config_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "base/json.h"
#include "base/text.h"

namespace cupel::yaml {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100000;
constexpr std::size_t kMaxScalarBytes = std::size_t{16} << 20;

/// What a tree costs in memory, aliases resolved.
struct Cost {
  std::size_t nodes = 0, bytes = 0;
};

Cost cost_of(const Node& node) {
  Cost total{1, node.scalar.size()};
  const auto add = [&](const Node& child, std::size_t key_bytes) {
    const Cost inner = cost_of(child);
    total.nodes += inner.nodes;
    total.bytes += inner.bytes + key_bytes;
  };
  for (const Node& item : node.items) add(item, 0);
  for (const auto& [key, value] : node.members) add(value, key.size());
  return total;
}

/// Builds the tree from the parser's events and refuses what yaml-cpp lets pass: duplicate keys,
/// deep or exploding documents, foreign tags.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) refuse(place(mark), "a second document", "keep one document a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    take({.where = place(mark)}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    Node node{.kind = Node::Kind::scalar, .scalar = value, .where = place(mark)};
    node.quoted = tag == "!" || tag.ends_with(":str");
    take(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      refuse(place(mark), "an alias inside the value it stands for", "write the value out");
    }
    const Cost cost = cost_of(known->second);
    if (frames_.size() + depth_of(known->second) > kMaxDepth) refuse_depth(mark);
    spend(cost, place(mark));
    Node copy = known->second;
    copy.where = place(mark);
    attach(std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  Node result() { return root_ ? std::move(*root_) : Node{.where = file_}; }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Node> key = {};
    std::unordered_set<std::string> keys = {};
  };

  std::string place(const YAML::Mark& mark) const {
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }

  [[noreturn]] static void refuse(std::string where, std::string text, std::string hint) {
    fail(ErrorKind::config, std::move(where), std::move(text), std::move(hint));
  }

  [[noreturn]] void refuse_depth(const YAML::Mark& mark) const {
    refuse(place(mark), "nested more than " + std::to_string(kMaxDepth) + " levels deep",
           "flatten it");
  }

  static std::size_t depth_of(const Node& node) {
    std::size_t deepest = 0;
    for (const Node& item : node.items) deepest = std::max(deepest, 1 + depth_of(item));
    for (const auto& [key, value] : node.members) deepest = std::max(deepest, 1 + depth_of(value));
    return deepest;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    static const std::vector<std::string> core{"str", "int", "float", "bool", "null", "seq", "map"};
    if (tag.empty() || tag == "?" || tag == "!") return;
    const bool known = tag.starts_with(kCore) &&
                       std::find(core.begin(), core.end(), tag.substr(kCore.size())) != core.end();
    if (!known) refuse(place(mark), "unknown tag \"" + clip(tag, 80) + "\"", "remove it");
  }

  void spend(Cost cost, const std::string& where) {
    spent_.nodes += cost.nodes;
    spent_.bytes += cost.bytes;
    if (spent_.nodes > kMaxNodes || spent_.bytes > kMaxScalarBytes) {
      refuse(where,
             "more than " + std::to_string(kMaxNodes) + " values or " +
                 std::to_string(kMaxScalarBytes >> 20) + " MiB of text, aliases included",
             "move data into a data file");
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (frames_.size() >= kMaxDepth) refuse_depth(mark);
    spend({1, 0}, place(mark));
    frames_.push_back({.node = {.kind = kind, .where = place(mark)}, .anchor = anchor});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    remember(frame.node, frame.anchor);
    attach(std::move(frame.node));
  }

  void take(Node node, YAML::anchor_t anchor) {
    spend({1, node.scalar.size()}, node.where);
    remember(node, anchor);
    attach(std::move(node));
  }

  void remember(const Node& node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    spend(cost_of(node), node.where);
    anchors_[anchor] = node;
  }

  void attach(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::sequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, std::move(node));
    } else {
      node.key_where = frame.key->where;
      frame.node.members.emplace_back(std::move(frame.key->scalar), std::move(node));
      frame.key.reset();
    }
  }

  void take_key(Frame& frame, Node key) {
    if (key.kind != Node::Kind::scalar) refuse(key.where, "a key must be text", "write a name");
    if (!frame.keys.insert(key.scalar).second) {
      const Node* first = frame.node.find(key.scalar);
      refuse(key.where,
             "duplicate key \"" + clip(key.scalar, 80) + "\", first at " + first->key_where,
             "keep one of the two");
    }
    frame.key = std::move(key);
  }

  std::string file_;
  std::optional<Node> root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  Cost spent_;
};

/// yaml-cpp repairs or stops at such bytes without a word.
void check_bytes(std::string_view text, const std::string& file) {
  if (text.size() > kMaxBytes) {
    fail(ErrorKind::config, file, "larger than " + std::to_string(kMaxBytes >> 20) + " MiB",
         "a recipe holds settings; move data into a data file");
  }
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           c == 0x7f;
  });
  if (control != text.end()) {
    const auto at = static_cast<std::size_t>(control - text.begin());
    fail(ErrorKind::config, file + ":" + line_and_column(text, at), "a control character",
         "remove it");
  }
  const std::size_t valid = valid_utf8_prefix(text);
  if (valid < text.size()) {
    fail(ErrorKind::config, file + ":" + line_and_column(text, valid), "not UTF-8",
         "save the file as UTF-8");
  }
}

void set_place(Node& node, const std::string& where) {
  node.where = node.key_where = where;
  for (Node& item : node.items) set_place(item, where);
  for (auto& [key, value] : node.members) set_place(value, where);
}

/// The child that a part of a dotted name stands for, made if a map lacks it.
Node& descend(Node& node, const std::string& part, const std::string& where) {
  if (node.kind == Node::Kind::sequence) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error == std::errc() && end == part.data() + part.size() && index < node.items.size()) {
      return node.items[index];
    }
    fail(ErrorKind::config, where,
         "\"" + part + "\" is no item of the list of " + std::to_string(node.items.size()) +
             " at " + node.where,
         "items count from 0");
  }
  if (node.kind == Node::Kind::scalar) {
    fail(ErrorKind::config, where,
         "\"" + part + "\" cannot be set inside \"" + clip(node.scalar, 80) + "\" at " + node.where,
         "write that value as a map");
  }
  node.kind = Node::Kind::map;
  if (Node* known = node.find(part)) return *known;
  return node.members.emplace_back(part, Node{.where = where, .key_where = where}).second;
}

/// Whether the text read back unquoted is the same text, whatever reads it.
bool is_plain(const std::string& text) {
  const auto safe = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '/' || c == '.' ||
           c == '-' || c == '+';
  };
  static const std::unordered_set<std::string> words{"null", "Null",  "NULL",  "true",  "True",
                                                     "TRUE", "false", "False", "FALSE", "yes",
                                                     "no",   "on",    "off",   "y",     "n"};
  const bool starts_well =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/');
  return starts_well && std::all_of(text.begin(), text.end(), safe) && !words.contains(text);
}

std::string scalar_text(const Node& node) {
  if (node.kind == Node::Kind::null) return "null";
  if (!node.quoted || is_plain(node.scalar)) return node.scalar;
  return json::dump(node.scalar);
}

bool is_leaf(const Node& node) {
  return node.kind == Node::Kind::null || node.kind == Node::Kind::scalar ||
         (node.items.empty() && node.members.empty());
}

void append(std::string& out, const Node& node, std::size_t indent) {
  const std::string pad(indent, ' ');
  const auto append_child = [&](const Node& child, bool after_dash) {
    const bool short_list = child.kind == Node::Kind::sequence &&
                            std::all_of(child.items.begin(), child.items.end(), is_leaf);
    if (is_leaf(child) || short_list) {
      out += ' ';
      append(out, child, 0);
      out += '\n';
    } else if (after_dash) {
      std::string block;
      append(block, child, indent + 2);
      out += ' ' + block.substr(indent + 2);
    } else {
      out += '\n';
      append(out, child, indent + 2);
    }
  };
  if (node.kind == Node::Kind::map && !node.members.empty()) {
    for (const auto& [key, value] : node.members) {
      out += pad + (is_plain(key) ? key : json::dump(key)) + ':';
      append_child(value, false);
    }
  } else if (node.kind == Node::Kind::map) {
    out += "{}";
  } else if (node.kind != Node::Kind::sequence) {
    out += scalar_text(node);
  } else if (std::all_of(node.items.begin(), node.items.end(), is_leaf)) {
    out += '[';
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out += ", ";
      append(out, node.items[i], 0);
    }
    out += ']';
  } else {
    for (const Node& item : node.items) {
      out += pad + '-';
      append_child(item, true);
    }
  }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

Node parse(std::string_view text, const std::string& file) {
  check_bytes(text, file);
  TreeBuilder builder(file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    fail(ErrorKind::config,
         file + ":" + std::to_string(error.mark.line + 1) + ":" +
             std::to_string(error.mark.column + 1),
         error.msg, "correct the YAML");
  }
  return builder.result();
}

void merge_override(Node& root, std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string where(word.substr(0, equals));
  std::string name = where.substr(std::min(where.find_first_not_of('-'), where.size()));
  const bool names_nothing = name.empty() || name.front() == '.' || name.back() == '.' ||
                             name.find("..") != std::string::npos;
  if (equals == std::string_view::npos || names_nothing || !where.starts_with("--")) {
    fail(ErrorKind::config, clip(word, 80), "not a setting", "write --section.key=value");
  }
  std::replace(name.begin(), name.end(), '-', '_');
  Node value = parse(word.substr(equals + 1), where);
  set_place(value, where);
  Node* node = &root;
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '.');) node = &descend(*node, part, where);
  *node = std::move(value);
}

std::string dump(const Node& node) {
  std::string out;
  append(out, node, 0);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

bool from_command_line(const Node& node) { return node.where.starts_with("--"); }

}  // namespace cupel::yaml
