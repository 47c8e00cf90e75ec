#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "base/machine.h"
#include "base/text.h"
#include "pipeline/figures.h"

namespace cupel::cli {
namespace {

constexpr double kRedrawSeconds = 0.1, kLineSeconds = 5;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

Screen standard_error() {
  Screen screen;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  screen.redraws = ::isatty(STDERR_FILENO) != 0 && !dumb;
  screen.colours = screen.redraws && !is_set("NO_COLOR");
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    screen.columns = size.ws_col;
  return screen;
}

void say(std::string_view text) { std::cerr << text << std::flush; }

std::string coloured(const Screen& screen, std::string_view colour, std::string_view text) {
  if (!screen.colours) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
}

Terminal::Terminal(Screen screen, Write write, std::function<double()> clock)
    : screen_(screen), write_(std::move(write)), clock_(std::move(clock)) {}

void Terminal::operator()(const Event& event) {
  switch (event.kind) {
    case Event::Kind::metric:
      break;  // metrics.jsonl has them; the note of the progress has the one that matters
    case Event::Kind::progress:
      progress(event);
      break;
    case Event::Kind::log:
      if (event.level == LogLevel::debug) break;
      line(event.level == LogLevel::warning
               ? coloured(screen_, "33", "warning: ") + std::string(event.text)
               : std::string(event.text));
      break;
    case Event::Kind::section_begin:
      if (screen_.redraws) draw(std::string(event.name) + " …");
      break;
    case Event::Kind::section_end:
      // What a loop does between two of its steps would bury the rest.
      if (total_ < 0) {
        line(coloured(screen_, "2",
                      fmt::format("{}  {}", event.name, pipeline::seconds_text(event.value))));
      }
      break;
  }
}

void Terminal::progress(const Event& event) {
  const double now = clock_();
  if (event.total != total_ || event.done < last_done_) {
    total_ = event.total;
    first_done_ = event.done;
    first_time_ = now;
    shown_ = false;
  }
  last_done_ = event.done;
  const bool last = event.done == event.total;
  const double wait = screen_.redraws ? kRedrawSeconds : kLineSeconds;
  if (shown_ && !last && now - shown_time_ < wait) return;
  shown_ = true;
  shown_time_ = now;
  std::string text = fmt::format("{}/{}", event.done, event.total);
  if (!event.text.empty()) text += fmt::format("  {}", event.text);
  const double seconds = now - first_time_;
  const auto steps = static_cast<double>(event.done - first_done_);
  if (steps > 0 && seconds > 0) {
    const double rate = steps / seconds;
    text += rate < 1 ? fmt::format("  {} a step", pipeline::seconds_text(1 / rate))
                     : fmt::format("  {:.1f} steps/s", rate);
    const auto left = static_cast<double>(event.total - event.done);
    if (!last) text += "  " + pipeline::seconds_text(left / rate) + " left";
  }
  text += "  " + pipeline::bytes_text(static_cast<double>(peak_memory_bytes()));
  if (!screen_.redraws || last) {
    line(text);
  } else {
    draw(text);
  }
  if (last) total_ = -1;
}

void Terminal::line(const std::string& text) {
  clear();
  write_(text + "\n");
}

void Terminal::draw(const std::string& text) {
  clear();
  write_(clip(text, static_cast<std::size_t>(screen_.columns - 1)));
  drawn_ = true;
}

void Terminal::clear() {
  if (drawn_) write_("\r\x1b[K");
  drawn_ = false;
}

}  // namespace cupel::cli
