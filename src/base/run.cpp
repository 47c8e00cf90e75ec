#include "base/run.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/lock_file.h"
#include "base/log.h"
#include "base/text.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

int thread_count(int asked, int sharers) {
  if (asked < 0) fail(ErrorKind::config, "--threads", "must not be negative", "choose 1 or more");
  return asked == 0 ? std::max(1, available_threads() / sharers) : asked;
}

/// "line 3 was "seed: 1" and is now "seed: 2"".
std::string first_difference(std::string_view before, std::string_view after) {
  for (int line = 1;; ++line) {
    const std::string_view a = before.substr(0, before.find('\n'));
    const std::string_view b = after.substr(0, after.find('\n'));
    if (a != b) {
      return "line " + std::to_string(line) + " was \"" + clip(a, 80) + "\" and is now \"" +
             clip(b, 80) + "\"";
    }
    before.remove_prefix(std::min(before.size(), a.size() + 1));
    after.remove_prefix(std::min(after.size(), b.size() + 1));
  }
}

/// Files that hold times or rates, that describe the run itself, or that come and go with resumes;
/// a stage that repeats has a folder of its own with the same names in it.
bool is_part_of_fingerprint(const std::string& name) {
  static const std::unordered_set<std::string> apart{"recipe.yaml", "config.yaml", "manifest.json",
                                                     "report.json", "report.html", "metrics.jsonl",
                                                     "log.jsonl",   ".lock"};
  const std::string last = fs::path(name).filename().string();
  return !apart.contains(last) && !last.starts_with("checkpoint-") &&
         !last.starts_with(".staging-") && !last.starts_with("events.out.tfevents.");
}

}  // namespace

struct Run::Impl {
  RunOptions options;
  ThreadPool pool;
  bool resuming = false;
  std::optional<LockFile> lock;
  std::unique_ptr<RunLog> log;
  std::mutex reporting;
  std::vector<Sink> sinks;
  std::map<std::string, std::string> inputs;  // path as given → SHA-256
  json::Value manifest = json::Object{};
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

  explicit Impl(RunOptions given)
      : options(std::move(given)), pool(thread_count(options.threads, options.peers.local_size)) {
    options.threads = pool.size();
    if (!options.folder.empty()) open_folder();
    log = std::make_unique<RunLog>(options.folder);
  }

  void open_folder() {
    const fs::path& folder = options.folder;
    std::error_code ignored;
    const bool begun = fs::exists(folder, ignored) && !fs::is_empty(folder, ignored);
    require_free_disk(folder, options.needed_bytes);
    make_folders(folder);
    lock.emplace(folder / ".lock");
    if (begun && !options.resume) {
      fail(ErrorKind::config, folder.string(), "holds a run or other files already",
           "continue it with --resume, or choose another folder with --out");
    }
    remove_staging(folder);
    resuming = fs::exists(folder / "config.yaml");
    if (resuming) {
      check_same_config();
      read_recorded_inputs();
    } else {
      write_file_atomically(folder / "recipe.yaml", options.recipe);
      write_file_atomically(folder / "config.yaml", options.config);
    }
  }

  void check_same_config() const {
    const fs::path path = options.folder / "config.yaml";
    const std::string before = read_file(path);
    if (before == options.config) return;
    fail(ErrorKind::config, path.string(),
         "the run was begun with other settings: " + first_difference(before, options.config),
         "resume with the same settings, or choose another folder with --out");
  }

  void read_recorded_inputs() {
    const fs::path path = options.folder / "manifest.json";
    if (!fs::exists(path)) return;
    const json::Value before = json::parse(read_file(path), path.string());
    for (const auto& [name, hash] : before.at("inputs", path.string()).as_object(path.string())) {
      inputs[name] = hash.as_string(path.string());
    }
  }

  void tell(const Event& event) {
    for (const Sink& sink : sinks) sink(event);
  }

  double time() const {
    if (options.clock) return options.clock();
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  fs::path output(std::string_view name) const {
    const fs::path relative = fs::path(name).lexically_normal();
    CUPEL_ASSERT(!name.empty() && relative.is_relative() && *relative.begin() != "..");
    return options.folder / relative;
  }

  /// A folder that was removed meanwhile is not made again with a part of the run in it.
  void require_folder() const {
    if (lock->is_in_place()) return;
    fail(ErrorKind::resource, options.folder.string(), "was removed while the run wrote to it",
         "begin the run again, and leave its folder in place until it ends");
  }

  /// SHA-256 of every output that a repeated run must give again.
  std::map<std::string, std::string> output_hashes() const {
    std::map<std::string, std::string> hashes;
    for (auto it = fs::recursive_directory_iterator(options.folder); it != fs::end(it); ++it) {
      const std::string name = it->path().lexically_relative(options.folder).generic_string();
      if (!is_part_of_fingerprint(name)) {
        if (it->is_directory()) it.disable_recursion_pending();
      } else if (it->is_regular_file()) {
        hashes[name] = sha256_file(it->path());
      }
    }
    return hashes;
  }

  void write_report(std::string_view verb, const json::Value& report) {
    const fs::path path = options.folder / "report.json";
    json::Value all = json::Object{};
    if (fs::exists(path)) all = json::parse(read_file(path), path.string());
    all.set(std::string(verb), report);
    write_file_atomically(path, json::dump(all, 2) + "\n");
  }

  /// What the manifest says of the run itself.
  json::Value manifest_head() const {
    json::Object input_list;
    for (const auto& [name, hash] : inputs) input_list.emplace_back(name, hash);
    json::Value all =
        json::Object{{"cupel", CUPEL_VERSION},           {"recipe", sha256(options.recipe)},
                     {"config", sha256(options.config)}, {"seed", std::to_string(options.seed)},
                     {"threads", options.threads},       {"inputs", std::move(input_list)}};
    for (const auto& [key, value] : manifest.as_object("")) all.set(key, value);
    return all;
  }

  /// Before a stage ends: no fingerprint, and the outputs of the stages before. A run that is cut
  /// off knows from it, when it goes on, what it had read.
  void write_begun_manifest() const {
    const fs::path path = options.folder / "manifest.json";
    json::Value all = manifest_head();
    if (fs::exists(path)) {
      const json::Value before = json::parse(read_file(path), path.string());
      if (const json::Value* outputs = before.find("outputs")) all.set("outputs", *outputs);
    }
    write_file_atomically(path, json::dump(all, 2) + "\n");
  }

  void write_manifest() const {
    json::Object output_list;
    std::string lines;
    for (const auto& [name, hash] : output_hashes()) {
      lines += hash + "  " + name + "\n";
      output_list.emplace_back(name, hash);
    }
    json::Value all = manifest_head();
    all.set("outputs", std::move(output_list));
    all.set("fingerprint", sha256(lines));
    write_file_atomically(options.folder / "manifest.json", json::dump(all, 2) + "\n");
  }
};

Run::Run(RunOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Run::~Run() = default;

const fs::path& Run::folder() const { return impl_->options.folder; }
bool Run::has_folder() const { return !impl_->options.folder.empty(); }
bool Run::resuming() const { return impl_->resuming; }
uint64_t Run::seed() const { return impl_->options.seed; }
int Run::threads() const { return impl_->options.threads; }
const Peers& Run::peers() const { return impl_->options.peers; }
ThreadPool& Run::pool() { return impl_->pool; }
Rng Run::stream(std::string_view purpose, uint64_t index) const {
  return Rng(seed(), purpose, index);
}

void Run::subscribe(Sink sink) {
  const std::lock_guard guard(impl_->reporting);
  impl_->sinks.push_back(std::move(sink));
}

void Run::metric(std::string_view name, int64_t step, double value) {
  const std::lock_guard guard(impl_->reporting);
  impl_->log->metric(name, step, value, time());
  impl_->tell({.kind = Event::Kind::metric, .name = name, .step = step, .value = value});
}

void Run::progress(int64_t done, int64_t total, std::string_view note) {
  const std::lock_guard guard(impl_->reporting);
  impl_->tell({.kind = Event::Kind::progress, .done = done, .total = total, .text = note});
}

void Run::log(LogLevel level, std::string_view text) {
  const std::lock_guard guard(impl_->reporting);
  impl_->log->text(level, text, time());
  impl_->tell({.kind = Event::Kind::log, .level = level, .text = text});
}

void Run::reject(const Reject& reject) {
  const std::lock_guard guard(impl_->reporting);
  impl_->log->reject(reject);
}

int64_t Run::rejected() const {
  const std::lock_guard guard(impl_->reporting);
  return impl_->log->rejected();
}

Run::Section::Section(Run& run, std::string name)
    : run_(run), name_(std::move(name)), begin_(run.seconds()) {
  const std::lock_guard guard(run_.impl_->reporting);
  run_.impl_->tell({.kind = Event::Kind::section_begin, .name = name_});
}

Run::Section::~Section() {
  const double seconds = run_.seconds() - begin_;
  const std::lock_guard guard(run_.impl_->reporting);
  try {
    run_.impl_->log->section(name_, seconds, run_.time());
    run_.impl_->tell({.kind = Event::Kind::section_end, .name = name_, .value = seconds});
  } catch (const Error&) {
    // A destructor may not throw; a disk that fails here fails the run's next write too.
  }
}

const std::atomic<bool>* Run::stop_flag() const { return impl_->options.stop; }
bool Run::stop_requested() const { return impl_->options.stop && impl_->options.stop->load(); }

void Run::stop_if_asked() const {
  if (stop_requested()) throw Interrupted();
}

double Run::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - impl_->begin).count();
}

double Run::time() const { return impl_->time(); }

void Run::write(std::string_view name, std::string_view bytes) {
  if (!has_folder()) return;
  impl_->require_folder();
  const fs::path path = impl_->output(name);
  make_folders(path.parent_path());
  write_file_atomically(path, bytes);
}

void Run::write_folder(std::string_view name, const std::function<void(const fs::path&)>& fill) {
  if (!has_folder()) return;
  impl_->require_folder();
  const fs::path path = impl_->output(name);
  make_folders(path.parent_path());
  write_folder_atomically(path, fill);
}

void Run::remove(std::string_view name) {
  if (has_folder()) remove_path(impl_->output(name));
}

void Run::record_input(const fs::path& path) {
  const auto before = impl_->inputs;
  const auto record = [&](const fs::path& file) {  // absolute: a resume may begin elsewhere
    impl_->inputs[fs::absolute(file).lexically_normal().string()] = sha256_file(file);
  };
  if (!fs::is_directory(path)) {
    record(path);
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) record(entry.path());
    }
  }
  if (!has_folder() || impl_->inputs == before) return;
  impl_->require_folder();
  impl_->write_begun_manifest();
}

void Run::set_manifest(std::string key, json::Value value) {
  impl_->manifest.set(std::move(key), std::move(value));
}

int64_t Run::sync_metrics() {
  const std::lock_guard guard(impl_->reporting);
  return impl_->log->sync_metrics();
}

void Run::cut_metrics(int64_t position) {
  const std::lock_guard guard(impl_->reporting);
  impl_->log->cut_metrics(position);
}

void Run::finish(std::string_view verb, const json::Value& report) {
  if (!has_folder()) return;
  impl_->require_folder();
  const std::lock_guard guard(impl_->reporting);
  impl_->log->sync();
  impl_->write_report(verb, report);
  impl_->write_manifest();
}

}  // namespace cupel
